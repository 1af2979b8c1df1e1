import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { readConfig } from './config/read-config.ts';
import { runAgent } from './run-agent.ts';
import { type TestVault, testVault } from './test-vault.ts';

describe('a supervised process', () => {
  let vault: TestVault;
  let folder = '';
  const stop = { controller: new AbortController() };
  /** Waits a hundredth of what it is told. */
  const clock: Clock = {
    now: systemClock.now,
    sleep: (ms, s) => systemClock.sleep(Math.min(ms, 1e6) / 100, s),
  };

  beforeEach(async () => {
    vault = await testVault();
    vault.data['kv/a'] = { v: 'one' };
    folder = await mkdtemp(join(tmpdir(), 'exec-'));
    await writeFile(join(folder, 'jwt'), 'a.b.c');
    stop.controller = new AbortController();
  });
  afterEach(async () => {
    stop.controller.abort();
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(script: string, exec = '', command = ['/bin/sh', '-c', script]): Promise<number> {
    const path = join(folder, 'agent.hcl');
    await writeFile(
      path,
      `vault { address = "${vault.address}" }
auto_auth { method "kubernetes" { mount_path = "auth/kubernetes-c1"
  config = { role = "r", token_path = "${folder}/jwt" } } }
template_config { static_secret_render_interval = "1s" }
env_template "FIRST" { contents = "{{ with secret \\"kv/a\\" }}{{ .Data.v }}{{ end }}" }
env_template "SECOND" { contents = "fixed" }
exec { command = ${JSON.stringify(command)}  ${exec} }
`,
    );
    const config = await readConfig([path], {});
    const options = { env: { PATH: process.env.PATH }, random: () => 0.5, verifiers: [] };
    return runAgent({ ...options, config, clock, log: silentLogger, signal: stop.controller.signal });
  }
  async function until(text: string): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if ((await readFile(join(folder, 'out'), 'utf8').catch(() => '')) === text) return;
      await systemClock.sleep(10);
    }
    expect(await readFile(join(folder, 'out'), 'utf8').catch(() => '')).toBe(text);
  }

  test('gets the secrets in its environment, and the agent leaves with its exit code', async () => {
    expect(await run(`echo $FIRST $SECOND > ${folder}/out; exit 7`)).toBe(7);
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe('one fixed\n');
  });

  test('is restarted with the signal it wants when a secret changes, and stopped with the agent', async () => {
    const running = run(
      `trap 'echo bye >> ${folder}/out; exit 0' USR1; echo $FIRST >> ${folder}/out; while :; do sleep 0.01; done`,
      'restart_stop_signal = "SIGUSR1"',
    );
    await until('one\n');
    vault.data['kv/a'] = { v: 'two' };
    await until('one\nbye\ntwo\n');
    stop.controller.abort();
    expect(await running).toBe(0);
    await until('one\nbye\ntwo\nbye\n');
  });

  test('is left alone when it does not want to be restarted', async () => {
    const running = run(
      `echo $FIRST >> ${folder}/out; while :; do sleep 0.01; done`,
      'restart_on_secret_changes = "never"',
    );
    await until('one\n');
    vault.data['kv/a'] = { v: 'two' };
    const reads = vault.requests.length;
    while (vault.requests.length < reads + 3) await systemClock.sleep(10);
    await systemClock.sleep(50);
    await until('one\n');
    stop.controller.abort();
    await running;
  });

  test('that a signal ends is exit code 255, as upstream', async () => {
    expect(await run('kill -9 $$')).toBe(255);
  });

  test('may be a line for the shell, and is stopped with all that the shell started', async () => {
    const running = run('', '', [`echo $SECOND > ${folder}/out; sleep 1000; true`]);
    await until('fixed\n');
    stop.controller.abort();
    expect(await running).toBe(0);
  });

  test('that cannot be started ends the agent with the reason', async () => {
    await expect(run('', '', [`${folder}/nothing`])).rejects.toMatchObject({
      code: 'exec-start',
      message: expect.stringContaining('ENOENT'),
    });
  });

  test.each([
    ['env_template "A" { contents = "x" }', "a top-level 'exec' element must be specified"],
    ['exec { command = ["true"] }', "must specify at least one 'env_template' element"],
    [
      'exec { command = ["true"] }\nenv_template "A" { contents = "x" }\ntemplate { contents = "x" destination = "/x" }',
      "'template' cannot be specified with 'env_template'",
    ],
    ['exec { command = [] }', 'exec requires a non-empty "command"'],
    ['exec { command = ["a"] restart_stop_signal = "SIGFOO" }', 'unknown signal "SIGFOO"'],
    ['exec { command = ["a"] restart_on_secret_changes = "maybe" }', 'must be always or never'],
  ])('refuses %s', async (text, reason) => {
    const path = join(folder, 'bad.hcl');
    await writeFile(path, `auto_auth { method "kubernetes" { config = { role = "r" } } }\n${text}`);
    await expect(readConfig([path], {})).rejects.toMatchObject({
      code: 'bad-agent-config',
      message: expect.stringContaining(reason),
    });
  });
});
