import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogFile } from './log-file.ts';

let folder = '';
let now = 1000;
const clock = { now: () => now, sleep: async () => {} };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-'));
  now = 1000;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a log file is set aside when it is full, and only so many are kept', async () => {
  const log = new LogFile({ path: join(folder, 'a.log'), rotateBytes: 4, rotateMs: 1e9, maxFiles: 2 }, clock);
  for (const text of ['one\n', 'two\n', 'three\n', 'four\n']) log.write(text);
  expect(await readdir(folder)).toEqual(['a-1000000001.log', 'a-1000000002.log', 'a.log']);
  expect(await readFile(join(folder, 'a.log'), 'utf8')).toBe('four\n');
  expect(await readFile(join(folder, 'a-1000000002.log'), 'utf8')).toBe('three\n');
});

test('a log file is set aside when it is old; a folder gets agent.log', async () => {
  const log = new LogFile({ path: `${folder}/`, rotateBytes: 0, rotateMs: 5000, maxFiles: 0 }, clock);
  log.write('one\n');
  now = 7000;
  log.write('two\n');
  expect(await readdir(folder)).toEqual(['agent-7000000000.log', 'agent.log']);
});
