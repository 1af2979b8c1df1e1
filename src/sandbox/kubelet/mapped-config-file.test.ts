import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withMappedConfig } from './mapped-config-file.ts';
import { PathMap } from './path-map.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mapped-'));
  await writeFile(join(folder, 'config.json'), config);
});
afterAll(() => rm(folder, { recursive: true }));

const config = '{"destination":"/vault/secrets/x"}';
const map = new PathMap([{ inside: '/vault/secrets', host: '/h/secrets' }]);
const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
const word = (digest: string): string => {
  const file = join(folder, 'config.json');
  return `echo "${digest}  ${file}" | sha256sum -c - && exec vault agent -config=${file}`;
};

test('an agent gets a checked copy of its configuration with the paths of this machine', async () => {
  const copy = join(folder, 'copy.json');
  const mapped = await withMappedConfig(word(sum(config)), map, copy);
  expect(await readFile(copy, 'utf8')).toBe('{"destination":"/h/secrets/x"}');
  const shown = execFileSync('/bin/sh', ['-ec', mapped.replace('exec vault', 'echo')], { encoding: 'utf8' });
  expect(shown).toBe(`${copy}: OK\nagent -config=${copy}\n`);
});

test('one that is not what was admitted stays for the shell to refuse, and other words stay as they are', async () => {
  const copy = join(folder, 'never.json');
  for (const other of [word(sum('x')), 'vault agent -config=/x', 'sha256sum -c -'])
    expect(await withMappedConfig(other, map, copy)).toBe(other);
  await expect(readFile(copy)).rejects.toThrow('ENOENT');
});
