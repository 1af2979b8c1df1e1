import fs, { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agentLog } from './agent-log.ts';
import { readConfig } from './config/read-config.ts';
import { runAgent } from './run-agent.ts';
import { istioCaVerifier } from './sets/istio-ca.ts';
import { type KvBundle, testBundles } from './test-bundle.ts';
import { TestClock } from './test-clock.ts';
import { type TestVault, testVault } from './test-vault.ts';

/** A disk that is full for what ends in .pem: the builtin module itself is changed, as everybody has it already. */
const full = { disk: false };
const realOpen = fs.open;
beforeAll(() => {
  fs.open = async (...args) => {
    const handle = await realOpen(...args);
    if (full.disk && String(args[0]).includes('.pem'))
      handle.writeFile = async () => {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      };
    return handle;
  };
  syncBuiltinESMExports();
});
afterAll(() => {
  fs.open = realOpen;
  syncBuiltinESMExports();
});

const path = 'kv/istiod-service/certs';
const keys = {
  'ca-key.pem': 'ca_key',
  'ca-cert.pem': 'ca_cert',
  'root-cert.pem': 'root_cert',
  'cert-chain.pem': 'cert_chain',
};
const minute = 60_000;

describe('an agent in trouble', { timeout: 60_000 }, () => {
  let vault: TestVault;
  let clock: TestClock;
  let folder = '';
  let log = '';
  let bundle: () => Promise<KvBundle>;
  let start = 0;
  const stop = { controller: new AbortController() };
  let running: Promise<unknown> = Promise.resolve();

  beforeEach(async () => {
    full.disk = false;
    vault = await testVault();
    clock = new TestClock(Date.now());
    start = clock.now();
    folder = await mkdtemp(join(tmpdir(), 'trouble-'));
    await writeFile(join(folder, 'jwt'), 'a.b.c');
    log = '';
    stop.controller = new AbortController();
    bundle = await testBundles(start);
    vault.data[path] = await bundle();
    vault.answers['auth/token/lookup-self'] = () => ({
      status: 200,
      body: { request_id: 'r', data: { ttl: 60 } },
    });
  });
  afterEach(async () => {
    stop.controller.abort();
    await running.catch(() => {});
    clock.stop();
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(change: (config: Record<string, unknown>) => void = () => {}): Promise<number> {
    const config: Record<string, unknown> = {
      auto_auth: {
        method: {
          type: 'kubernetes',
          mount_path: 'auth/kubernetes-c1',
          config: { role: 'istiod', token_path: join(folder, 'jwt') },
        },
      },
      exit_after_auth: true,
      vault: { address: vault.address },
      template: Object.entries(keys).map(([file, key]) => ({
        destination: join(folder, 'secrets', file),
        contents: `{{- with secret "${path}" -}}{{ .Data.${key} }}{{ end -}}`,
      })),
      template_config: { exit_on_retry_failure: true },
    };
    change(config);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const out = new Writable({
      write(chunk, _, done) {
        log += String(chunk);
        done();
      },
    });
    running = runAgent({
      config: await readConfig([join(folder, 'config.json')], {}),
      env: {},
      clock,
      random: () => 0.5,
      log: agentLog({ out, clock, format: 'standard', level: () => 'info' }),
      verifiers: [istioCaVerifier],
      signal: stop.controller.signal,
    });
    return running as Promise<number>;
  }
  const sidecar = (config: Record<string, unknown>): void => {
    config.exit_after_auth = false;
    config.template_config = { exit_on_retry_failure: false };
  };
  const file = (name: string): Promise<string> => readFile(join(folder, 'secrets', name), 'utf8');
  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = Date.now() + 40_000; Date.now() < end; ) {
      if (await condition()) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(`it did not happen:\n${log.slice(-3000)}`);
  }
  const has = (name: string, text: unknown) => async (): Promise<boolean> =>
    (await file(name).catch(() => '')) === text;

  test('store down for the first minute: init finishes within one more step of its back-off', async () => {
    vault.down = true;
    const done = run();
    await until(() => clock.now() - start >= minute);
    vault.down = false;
    const failed = () => log.split('error authenticating').length;
    const before = failed();
    expect(await done).toBe(0);
    expect(failed() - before).toBeLessThanOrEqual(1); // one may have been under way; the next step is the last
    expect(log).toContain('hint="is it running, and are address and CA certificate right?"');
    expect(await file('ca-key.pem')).toBe(vault.data[path]?.ca_key);
  });

  test('store down for an hour under a sidecar: files stay, nothing spins, a rotation arrives within one step', async () => {
    void run(sidecar);
    const first = vault.data[path];
    await until(has('ca-cert.pem', first?.ca_cert));
    vault.down = true;
    const attempts = log.length;
    const down = clock.now();
    await until(() => clock.now() - down >= 60 * minute);
    expect(log.slice(attempts).split('\n').length).toBeLessThan(250);
    expect(await file('ca-cert.pem')).toBe(first?.ca_cert);
    const second = await bundle();
    vault.data[path] = second;
    vault.down = false;
    const up = clock.now();
    await until(has('ca-cert.pem', second.ca_cert));
    expect(clock.now() - up).toBeLessThanOrEqual(7 * minute); // the longest step is 5 minutes
  });

  test('token revoked: it logs in again at the first refusal, not at the next renewal', async () => {
    void run(sidecar);
    await until(has('ca-cert.pem', vault.data[path]?.ca_cert));
    const second = await bundle();
    vault.data[path] = second;
    const revoked = { status: 403, body: { errors: ['permission denied'] } };
    const ask = (ok: unknown) => (_: unknown, headers: Record<string, unknown>) =>
      headers['x-vault-token'] === 'token-1' ? revoked : { status: 200, body: ok };
    vault.answers['auth/token/lookup-self'] = ask({ request_id: 'r', data: { ttl: 60 } });
    vault.answers[path] = ask({ request_id: 'r', lease_duration: 2764800, data: second });
    const from = clock.now();
    await until(has('ca-cert.pem', second.ca_cert));
    expect(clock.now() - from).toBeLessThan(7 * minute); // one reading interval; the renewal is 40 minutes away
    expect(log).toContain('the token is not accepted any more, re-authenticating');
  });

  test('a token that outlives its certificates is renewed before they end', async () => {
    const month = 30 * 24 * 3600;
    vault.answers['auth/kubernetes-c1/login'] = () => ({
      status: 200,
      body: {
        request_id: 'r',
        auth: { client_token: 'token-1', lease_duration: 12 * month, renewable: true },
      },
    });
    const renewed: number[] = [];
    vault.answers['auth/token/renew-self'] = () => {
      renewed.push(clock.now());
      return {
        status: 200,
        body: {
          request_id: 'r',
          auth: { client_token: 'token-1', lease_duration: 12 * month, renewable: true },
        },
      };
    };
    vault.data[path] = await (await testBundles(start - 90 * 24 * 60 * minute + 30 * minute))(); // half an hour left
    void run(sidecar);
    await until(() => renewed.length > 1);
    expect((renewed[1] ?? 0) - start).toBeLessThan(30 * minute);
    expect(vault.requests.filter((request) => request.endsWith('/login'))).toHaveLength(1);
  });

  test('role deleted: it says so at growing intervals and goes on when the role is back', async () => {
    vault.answers['auth/kubernetes-c1/login'] = () => ({
      status: 400,
      body: { errors: ['invalid role name "istiod"'] },
    });
    const done = run();
    await until(() => clock.now() - start > 20 * minute);
    expect(log).toContain('invalid role name');
    expect(log).toContain(
      'hint="is the role \\"istiod\\" (still) at auth/kubernetes-c1, and bound to who logs in',
    );
    expect(log.split('error authenticating').length).toBeLessThan(16);
    vault.answers['auth/kubernetes-c1/login'] = undefined;
    expect(await done).toBe(0);
  });

  test('secret deleted: the files stay, and the message says what to look at', async () => {
    void run(sidecar);
    const first = vault.data[path];
    await until(has('ca-cert.pem', first?.ca_cert));
    vault.data[path] = undefined;
    await until(() => log.includes('(exceeded maximum retries)'));
    expect(log).toContain(`vault.read(${path}): no secret exists at ${path}`);
    await until(() => log.includes('hint="was it written, and does the token see the right namespace?"'));
    expect(await file('ca-cert.pem')).toBe(first?.ca_cert);
    const second = await bundle();
    vault.data[path] = second;
    await until(has('ca-cert.pem', second.ca_cert));
  });

  test('wrong shape: what lies under another key is refused by name, and nothing is written', async () => {
    vault.data[path] = { data: vault.data[path] };
    await expect(run()).rejects.toMatchObject({
      code: 'set-refused',
      message: expect.stringMatching(
        /map has no entry for key "ca_key" \(which keys does the secret have\? .*version 2\)/,
      ),
    });
    await expect(file('ca-key.pem')).rejects.toThrow('ENOENT');
  });

  test('full disk: the old set stays, half a set is cleared away, and it is tried again', async () => {
    void run(sidecar);
    const first = vault.data[path];
    await until(has('ca-cert.pem', first?.ca_cert));
    full.disk = true;
    const second = await bundle();
    vault.data[path] = second;
    await until(() => log.includes('no space left on device'));
    expect(log).toContain('hint="make room, or give the volume (an emptyDir has a sizeLimit) more"');
    expect(await file('ca-key.pem')).toBe(first?.ca_key);
    full.disk = false;
    await until(has('ca-key.pem', second.ca_key));
    await until(
      async () => (await readdir(join(folder, 'secrets'))).filter((n) => /^\.\.\d/.test(n)).length === 1,
    );
  });

  test('a place that cannot be written ends an init container with the reason', async () => {
    await writeFile(join(folder, 'secrets'), 'a file, not a folder');
    await expect(run()).rejects.toMatchObject({
      code: 'template-write',
      message: `failed writing ${folder}/secrets: a part of the path is not a folder`,
      hint: 'what lies there already?',
    });
  });

  test('clock skew: an intermediate from the future is refused with a look at the clocks', async () => {
    vault.data[path] = await (await testBundles(start + 60 * minute))();
    await expect(run()).rejects.toMatchObject({
      code: 'set-refused',
      message: expect.stringContaining('compare the clocks of issuer and verifier'),
    });
  });

  test('a template that never ends is stopped', async () => {
    const endless = '{{ define "a" }}{{ template "a" }}{{ end }}{{ template "a" }}';
    await expect(
      run((config) => {
        config.template = [{ destination: join(folder, 'x'), contents: endless }];
      }),
    ).rejects.toMatchObject({
      code: 'template-execute',
      message: expect.stringContaining('template "a"'),
      hint: expect.stringContaining('one that calls itself'),
    });
    await expect(
      run((config) => {
        config.template = [
          { destination: join(folder, 'x'), contents: '{{ range loop 100000000 }}{{ end }}' },
        ];
      }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('it was stopped after'),
      hint: expect.stringContaining('a template has to end by itself'),
    });
  });
});
