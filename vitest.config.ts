import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Three projects: `unit` beside the code, `house` for the walls, `e2e` with real processes and sockets.
 * One worker more than there are cores, because many tests wait for another process. The files of a worker share the modules
 * that they import, which halves the work; so no module keeps state of a test.
 */
export default defineConfig({
  test: {
    maxWorkers: Math.min(availableParallelism() + 1, 8),
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          include: ['src/**/*.test.ts', 'bench/**/*.test.ts', 'conformance/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'house',
          include: ['test/house/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          isolate: false,
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/build-once.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
