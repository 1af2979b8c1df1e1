import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTemplateCommand } from './run-command.ts';

test.each<[string, (file: string) => string | string[]]>([
  ['a text', (file) => `echo "$0" | wc -l > ${file}`],
  ['a list of one line', (file) => [`echo x | wc -l > ${file}`]],
  ['program and arguments', (file) => ['/bin/sh', '-c', `echo x | wc -l > ${file}`]],
])('%s is run as consul-template runs it', async (_, command) => {
  const folder = await mkdtemp(join(tmpdir(), 'command-'));
  await runTemplateCommand(command(join(folder, 'out')), { timeoutMs: 30_000 });
  expect((await readFile(join(folder, 'out'), 'utf8')).trim()).toBe('1');
  await rm(folder, { recursive: true });
});

test.each([
  ['fails', ['/bin/sh', '-c', 'exit 3'], 'exit status 3'],
  ['is not there', ['/nope/reload'], 'ENOENT'],
  ['is killed', 'kill -9 $$', 'ended by SIGKILL'],
])('a command that %s is an error that says so', async (_, command, reason) => {
  await expect(runTemplateCommand(command, { timeoutMs: 30_000 })).rejects.toMatchObject({
    code: 'template-command',
    message: expect.stringContaining(reason),
  });
});

test('one that does not end is ended with all that it started, whatever it does about it', async () => {
  const stubborn = "trap '' TERM; sleep 1000 & wait";
  await expect(runTemplateCommand(stubborn, { timeoutMs: 50, patienceMs: 50 })).rejects.toMatchObject({
    message: expect.stringContaining('command did not exit within 0.05s'),
  });
});
