import { watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../lib/clock.ts';
import { agentLog } from './agent-log.ts';
import { readConfig } from './config/read-config.ts';
import { runAgent } from './run-agent.ts';
import { istioCaVerifier } from './sets/istio-ca.ts';
import { type KvBundle, testBundles } from './test-bundle.ts';
import { type TestVault, testVault } from './test-vault.ts';

const path = 'kv/istiod-service/certs';
const keys = {
  'ca-key.pem': 'ca_key',
  'ca-cert.pem': 'ca_cert',
  'root-cert.pem': 'root_cert',
  'cert-chain.pem': 'cert_chain',
};
/** The seed's template. */
const template = (key: string): string => `{{- with secret "${path}" -}}\n{{ .Data.${key} }}\n{{ end -}}`;

describe('the agent', () => {
  let vault: TestVault;
  let folder = '';
  let log = '';
  let bundle: (ttlDays?: number) => Promise<KvBundle>;
  const stop = { controller: new AbortController() };

  beforeEach(async () => {
    vault = await testVault();
    folder = await mkdtemp(join(tmpdir(), 'agent-'));
    await writeFile(join(folder, 'jwt'), 'header.payload.signature\n');
    log = '';
    stop.controller = new AbortController();
    bundle = await testBundles(Date.now());
    vault.data[path] = await bundle();
  });
  afterEach(async () => {
    stop.controller.abort();
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** VAULT_CONFIG as the injector writes it. */
  async function run(
    change: (config: Record<string, unknown>) => void = () => {},
    clock: Clock = systemClock,
  ): Promise<void> {
    const config: Record<string, unknown> = {
      auto_auth: {
        method: {
          type: 'kubernetes',
          mount_path: 'auth/kubernetes-c1',
          config: { role: 'istiod', token_path: join(folder, 'jwt') },
        },
        sink: [{ type: 'file', config: { path: join(folder, '.vault-token') } }],
      },
      exit_after_auth: true,
      pid_file: join(folder, '.pid'),
      vault: { address: vault.address },
      template: Object.entries(keys).map(([file, key]) => ({
        destination: join(folder, 'secrets', file),
        contents: template(key),
        left_delimiter: '{{',
        right_delimiter: '}}',
      })),
      template_config: { exit_on_retry_failure: true, static_secret_render_interval: '50ms' },
    };
    change(config);
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const out = new Writable({
      write(chunk, _, done) {
        log += String(chunk);
        done();
      },
    });
    await runAgent({
      config: await readConfig([join(folder, 'config.json')], {}),
      env: {},
      clock,
      random: () => 0.5,
      log: agentLog({ out, clock: systemClock, format: 'standard', level: () => 'info' }),
      verifiers: [istioCaVerifier],
      signal: stop.controller.signal,
    });
  }
  test('files that are no set are written in the order of their templates too: a key before its certificate', async () => {
    const names = ['z.key', 'y.ca', 'x.crt'];
    const keysOf = ['ca_key', 'root_cert', 'ca_cert'];
    const delivered = async (): Promise<string[]> => {
      const written: string[] = [];
      const watcher = watch(join(folder, 'secrets'), (_, name) => written.push(name ?? ''));
      await run((config) => {
        config.template = names.map((name, i) => ({
          destination: join(folder, 'secrets', name),
          contents: template(keysOf[i] ?? ''),
        }));
      });
      await until(() => written.includes('x.crt'));
      watcher.close();
      return [...new Set(written)].filter((name) => names.includes(name));
    };
    await mkdir(join(folder, 'secrets'));
    expect(await delivered()).toEqual(names);
    vault.data[path] = await bundle();
    expect(await delivered()).toEqual(['z.key', 'x.crt']); // the root stayed
  });

  const secret = (name: string): Promise<string> => readFile(join(folder, 'secrets', name), 'utf8');
  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (await condition()) return;
      await systemClock.sleep(10);
    }
    throw new Error(`it did not happen:\n${log}`);
  }

  test('as an init container logs in with the service account, delivers the four files and ends', async () => {
    await run();
    for (const [file, key] of Object.entries(keys))
      expect(await secret(file)).toBe(`${vault.data[path]?.[key]}\n`);
    expect(await readFile(join(folder, '.vault-token'), 'utf8')).toBe('token-1');
    expect(await readdir(folder)).not.toContain('.pid');
    const lines = log
      .trim()
      .split('\n')
      .map((line) => line.slice(25));
    expect(lines).toEqual(
      expect.arrayContaining([
        '[INFO]  sink.file: creating file sink',
        `[INFO]  sink.file: file sink configured: path=${folder}/.vault-token mode=-rw-r-----`,
        '[INFO]  template.server: starting template server',
        '[INFO]  sink.server: starting sink server',
        '[INFO]  auth.handler: starting auth handler',
        '[INFO]  auth.handler: authenticating',
        '[INFO]  auth.handler: authentication successful, sending token to sinks',
        '[INFO]  auth.handler: starting renewal process',
        '[INFO]  auth.handler: renewed auth token',
        `[INFO]  sink.file: token written: path=${folder}/.vault-token`,
        '[INFO]  sink.server: sink server stopped',
        '[INFO]  sinks finished, exiting',
        '[INFO]  template.server: template server received new token',
        '[INFO] (runner) creating new runner (dry: false, once: false)',
        `[INFO] (runner) rendered "(dynamic)" => "${folder}/secrets/ca-key.pem"`,
        '[INFO]  template.server: template server stopped',
        '[INFO]  auth.handler: shutdown triggered, stopping lifetime watcher',
        '[INFO]  auth.handler: auth handler stopped',
      ]),
    );
  });

  test('logs in once and reads a path once however many templates share them', async () => {
    await run();
    expect(vault.requests.filter((r) => r.endsWith('/login'))).toHaveLength(1);
    expect(vault.requests.filter((r) => r === `GET ${path}`)).toHaveLength(1);
  });

  test('never writes "<no value>" into a CA bundle: a missing key is an error', async () => {
    const { ca_key: _, ...rest } = await bundle();
    vault.data[path] = rest;
    await expect(run()).rejects.toMatchObject({
      code: 'set-refused',
      exit: 1,
      message: expect.stringContaining('map has no entry for key "ca_key"'),
    });
    await expect(secret('ca-cert.pem')).rejects.toThrow('ENOENT');
  });

  test('refuses a bundle whose key is not that of its certificate, and says so without the key', async () => {
    const [one, two] = [await bundle(), await bundle()];
    vault.data[path] = { ...one, ca_key: two.ca_key };
    await expect(run()).rejects.toMatchObject({
      code: 'set-refused',
      message: expect.stringContaining('key'),
    });
    expect(log).not.toContain('PRIVATE KEY');
    await expect(secret('ca-key.pem')).rejects.toThrow('ENOENT');
  });

  test('refuses an expired intermediate', async () => {
    vault.data[path] = await bundle(-30);
    await expect(run()).rejects.toMatchObject({
      code: 'set-refused',
      message: expect.stringMatching(/expired|ended/),
    });
  });

  test('as a sidecar follows a rotation, keeps the last good bundle over a bad one, and stops on a signal', async () => {
    const running = run((config) => {
      config.exit_after_auth = false;
    });
    const first = vault.data[path];
    await until(async () => (await secret('ca-cert.pem').catch(() => '')) === `${first?.ca_cert}\n`);
    const second = await bundle();
    vault.data[path] = second;
    await until(async () => (await secret('ca-cert.pem')) === `${second.ca_cert}\n`);
    expect(await secret('ca-key.pem')).toBe(`${second.ca_key}\n`);
    vault.data[path] = { ...second, ca_key: 'garbage' };
    await until(() => log.includes('the last good set stays'));
    expect(await secret('ca-key.pem')).toBe(`${second.ca_key}\n`);
    stop.controller.abort();
    await running;
    expect(log).toContain('auth.handler: auth handler stopped');
  });

  test('ends with the reason when a read is refused for good', async () => {
    vault.broken[path] = 403;
    const hasty: Clock = { now: systemClock.now, sleep: (_, signal) => systemClock.sleep(0, signal) };
    await expect(
      run((config) => {
        config.vault = { address: vault.address, retry: { num_retries: 2 } };
      }, hasty),
    ).rejects.toMatchObject({ code: 'template-read', message: expect.stringContaining('permission denied') });
    expect(log).toContain(
      `[WARN] (view) vault.read(${path}): 403 from GET /v1/${path}: permission denied (retry attempt 1 after "250ms")`,
    );
    expect(log).toContain('(exceeded maximum retries)');
  });

  test('tries a refused login again with back-off, and gives up only with exit_on_err', async () => {
    vault.broken['auth/kubernetes-c1/login'] = 403;
    const running = run((config) => {
      config.auto_auth = {
        ...(config.auto_auth as object),
        method: {
          type: 'kubernetes',
          mount_path: 'auth/kubernetes-c1/',
          min_backoff: '10ms',
          config: { role: 'istiod', token_path: join(folder, 'jwt') },
        },
      };
    });
    await until(() => log.split('error authenticating: ').length > 3);
    vault.broken['auth/kubernetes-c1/login'] = undefined;
    await running;
    vault.broken['auth/kubernetes-c1/login'] = 403;
    await expect(
      run((config) => {
        config.auto_auth = {
          ...(config.auto_auth as object),
          method: {
            type: 'kubernetes',
            mount_path: 'auth/kubernetes-c1',
            exit_on_err: true,
            config: { role: 'istiod', token_path: join(folder, 'jwt') },
          },
        };
      }),
    ).rejects.toMatchObject({ code: 'vault-denied' });
  });

  test('with error_fatal = false a broken template keeps no other from being written, but an init container from ending', async () => {
    const contents = `{{ with secret "kv/n" }}{{ index .Data.list 0 }}{{ end }}`;
    const broken = { destination: join(folder, 'broken'), contents };
    const good = { destination: join(folder, 'good'), contents: template('root_cert') };
    vault.data['kv/n'] = { list: true };
    const running = run((config) => {
      config.template = [{ ...broken, error_fatal: false }, good];
    });
    await until(
      () => log.includes("can't index item of type") && log.includes('waiting for another content'),
    );
    expect(await readFile(join(folder, 'good'), 'utf8')).toContain('CERTIFICATE');
    await expect(readFile(join(folder, 'broken'))).rejects.toThrow('ENOENT');
    vault.data['kv/n'] = { list: ['mended'] };
    await running;
    expect(await readFile(join(folder, 'broken'), 'utf8')).toBe('mended');
    vault.data['kv/n'] = { list: true };
    await expect(
      run((config) => {
        config.template = [broken, good];
      }),
    ).rejects.toMatchObject({ code: 'template-execute', exit: 1 });
  });

  test('writes a file of its own for any other template, and leaves it alone when nothing changed', async () => {
    const other = join(folder, 'other', 'a.txt');
    const only = (config: Record<string, unknown>): void => {
      config.template = [
        {
          destination: other,
          contents: template('root_cert'),
          perms: '0600',
          command: `echo x >> ${folder}/ran`,
        },
      ];
    };
    await run(only);
    await run(only);
    expect(await readFile(other, 'utf8')).toBe(`${vault.data[path]?.root_cert}\n`);
    expect(await readFile(join(folder, 'ran'), 'utf8')).toBe('x\n');
  });
});
