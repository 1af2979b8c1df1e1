import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { run } from './main.ts';

test('a root is not rotated by a command, and who tries is told where the steps are', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdout, stderr, env: {}, signal: new AbortController().signal, exitCode: 0 };
  expect(await run(['rotate', 'root', '--watch'], io)).toBe(1);
  stderr.end();
  expect(await text(stderr)).toMatch(
    /^a root is replaced by hand: .* {6}docs\/replace-a-root\.md has the phases/,
  );
});
