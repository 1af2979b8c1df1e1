import { defineConfig } from 'vitest/config';

/** Tests on the real parts that are on PATH; what is not there is skipped and named. One file at a time: they are big. */
export default defineConfig({
  test: {
    name: 'real',
    include: ['test/real/**/*.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    reporters: ['verbose'],
  },
});
