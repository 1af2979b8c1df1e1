import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolders, makeFoldersSync } from './make-folders.ts';

const base = mkdtempSync(join(tmpdir(), 'folders-'));
afterAll(() => rmSync(base, { recursive: true }));

const ways = [
  ['at once', async (path: string, mode?: number) => makeFoldersSync(path, mode)],
  ['asynchronously', makeFolders],
] as const;

test.each(ways)('%s: makes what is missing, and is content with what is there', async (name, make) => {
  const path = join(base, name, 'b', 'c');
  await make(path, 0o750);
  expect(statSync(path).mode & 0o777).toBe(0o750);
  await make(path);
});

test.each(ways)('%s: two may make the same one, and a file in the way is told', async (name, make) => {
  const path = join(base, `two ${name}`, 'b');
  await Promise.all([make(path), make(path)]);
  writeFileSync(join(path, 'file'), '');
  await expect(make(join(path, 'file', 'x'))).rejects.toThrow('ENOTDIR');
  await expect(make(join(path, 'file'))).rejects.toThrow('EEXIST');
});

test.each(ways)('%s: ends where nobody may make a folder and the system says ENOENT', async (_, make) => {
  await expect(make('/proc/nobody-makes-this/x')).rejects.toThrow('ENOENT');
});
