import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { followLines, LineSplitter } from './follow-file.ts';

let folder = '';
let stop = new AbortController();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'follow-'));
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  return rm(folder, { recursive: true });
});

const next = async (lines: AsyncGenerator<string>): Promise<string> => (await lines.next()).value as string;

describe('following a log', () => {
  test('lines come as they are written, halves only when they are whole', async () => {
    const path = join(folder, 'a.log');
    await writeFile(path, 'one\ntw');
    const lines = followLines(path, { clock: systemClock, signal: stop.signal });
    expect(await next(lines)).toBe('one');
    const second = next(lines);
    await appendFile(path, 'o\nthree\n');
    expect(await second).toBe('two');
    expect(await next(lines)).toBe('three');
  });

  test('a rotated log is followed under its name', async () => {
    const path = join(folder, 'a.log');
    await writeFile(path, 'old\n');
    const lines = followLines(path, { clock: systemClock, signal: stop.signal });
    expect(await next(lines)).toBe('old');
    const after = next(lines);
    await rename(path, `${path}.1`);
    await writeFile(path, 'new\n');
    expect(await after).toBe('new');
  });

  test('a truncated log starts again', async () => {
    const path = join(folder, 'a.log');
    await writeFile(path, 'a long first line\n');
    const lines = followLines(path, { clock: systemClock, signal: stop.signal });
    await next(lines);
    const after = next(lines);
    await truncate(path, 0);
    await appendFile(path, 'x\n');
    expect(await after).toBe('x');
  });

  test('a log that is not there yet is waited for', async () => {
    const path = join(folder, 'later.log');
    const first = next(followLines(path, { clock: systemClock, signal: stop.signal }));
    await writeFile(path, 'here\n');
    expect(await first).toBe('here');
  });

  test('a line beyond the limit is dropped whole, the next one comes', () => {
    const splitter = new LineSplitter(4);
    expect([...splitter.push(Buffer.from('0123456')), ...splitter.push(Buffer.from('789\nok\n'))]).toEqual([
      'ok',
    ]);
  });
});
