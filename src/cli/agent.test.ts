import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from './main.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-cli-'));
  await writeFile(
    join(folder, 'slip.hcl'),
    'auto_auth { method "kubernets" { config = { role = "r" } } sink "file" { config = { path = "/nope/x" } } }\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  [
    'nothing',
    [],
    1,
    /^must specify at least one config path using -config {6}for example: meshroot agent -config=agent/,
  ],
  [
    'a word',
    ['agent.hcl'],
    2,
    /^"agent.hcl" is no flag of meshroot agent {6}.* write: meshroot agent -config=agent.hcl/,
  ],
  ['a path that is not there', ['-config=/nope.hcl'], 1, /\/nope\.hcl: no such file or directory/],
  [
    'an unknown method',
    ['-config=SLIP'],
    1,
    /unknown auth method \\?"kubernets\\?".* hint="known: kubernetes, approle/,
  ],
])('the agent given %s says what to write', async (_, args, code, message) => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  const argv = ['agent', ...args.map((arg) => arg.replace('SLIP', join(folder, 'slip.hcl')))];
  const io = { stdout, stderr, env: {}, signal, exitCode: 0 };
  expect(await run(argv, io)).toBe(code);
  expect(String(stderr.read())).toMatch(message);
});
