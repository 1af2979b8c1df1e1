import { mkdtemp, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { selfMadeCertificate } from '../injector/self-made-certificate.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { flags, readSettings } from './injector-flags.ts';
import { hclogLogger } from './injector-log.ts';
import type { Io } from './io.ts';
import { run } from './main.ts';

const vault = new Map([['vault-address', 'http://flag:8200']]);

describe('settings', () => {
  test('a non-empty environment variable overrides the flag, an empty one does not', () => {
    expect(readSettings(vault, { AGENT_INJECT_VAULT_ADDR: 'http://env:8200' }).vaultAddress).toBe(
      'http://env:8200',
    );
    expect(readSettings(vault, { AGENT_INJECT_VAULT_ADDR: '' }).vaultAddress).toBe('http://flag:8200');
  });

  test('the TLS names are read also without their prefix, which wins', () => {
    expect(readSettings(vault, { TLS_AUTO: 'bare' }).tlsAuto).toBe('bare');
    expect(readSettings(vault, { TLS_AUTO: 'bare', AGENT_INJECT_TLS_AUTO: 'full' }).tlsAuto).toBe('full');
  });

  test('each is set by one flag and by its own environment variables', () => {
    const names = flags.flatMap(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(flags.map(({ setting }) => setting)).size).toBe(flags.length);
  });

  test.each<[string, Record<string, string>, string, string]>([
    ['no address of Vault', {}, 'no-vault-address', 'No Vault service configured'],
    [
      'a bad bool',
      { AGENT_INJECT_VAULT_ADDR: 'x', AGENT_INJECT_REVOKE_ON_SHUTDOWN: 'yes' },
      'bad-setting',
      `AGENT_INJECT_REVOKE_ON_SHUTDOWN: cannot parse '' as bool: strconv.ParseBool: parsing "yes": invalid syntax`,
    ],
    [
      'a bad number',
      { AGENT_INJECT_VAULT_ADDR: 'x', AGENT_INJECT_TEMPLATE_MAX_CONNECTIONS_PER_HOST: 'x' },
      'bad-setting',
      'AGENT_INJECT_TEMPLATE_MAX_CONNECTIONS_PER_HOST: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      'a default template in capitals',
      { AGENT_INJECT_VAULT_ADDR: 'x', AGENT_INJECT_DEFAULT_TEMPLATE: 'JSON' },
      'bad-setting',
      'Invalid default flag type: JSON',
    ],
  ])('%s is refused', (_, env, code, message) => {
    expect(() => readSettings(new Map(), env)).toThrow(expect.objectContaining({ code, message }));
  });
});

describe('log lines', () => {
  const clock = { ...systemClock, now: () => 0 };
  const written = (level: string, format: string): string => {
    const lines: string[] = [];
    const out = new Writable({
      write: (chunk, _, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const log = hclogLogger(out, clock, level, format).named('handler');
    log.debug('quiet');
    log.warn('pod refused', { namespace: 'demo', reason: 'no "role"\nat all' });
    return lines.join('');
  };
  test("look like vault-k8s's, and a value cannot start a line of its own", () => {
    expect(written('info', 'standard')).toBe(
      '1970-01-01T00:00:00.000Z [WARN]  handler: pod refused: namespace=demo reason="no \\"role\\"\\nat all"\n',
    );
  });
  test('or are JSON', () => {
    expect(JSON.parse(written('warning', 'json'))).toMatchObject({
      '@level': 'warn',
      '@module': 'handler',
      namespace: 'demo',
    });
  });
  test('an unknown level is refused', () => {
    expect(() => written('loud', 'standard')).toThrow(
      expect.objectContaining({
        code: 'bad-setting',
        message: 'Error setting log level: unknown log level: loud',
      }),
    );
  });
});

describe('meshroot injector', () => {
  let files: string[];
  let ca: string;
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'injector-'));
    const made = await selfMadeCertificate(['127.0.0.1'], systemClock, silentLogger);
    ca = made.caBundle ?? '';
    await writeFile(join(dir, 't.crt'), made.current.certificate);
    await writeFile(join(dir, 't.key'), made.current.key.reveal(), { mode: 0o600 });
    files = [`-tls-cert-file=${join(dir, 't.crt')}`, `-tls-key-file=${join(dir, 't.key')}`];
  });

  function io(env: Record<string, string>, signal: AbortSignal): Io & { stderr: PassThrough } {
    return { stdout: new PassThrough(), stderr: new PassThrough(), env, signal, exitCode: 0 };
  }

  test("serves with vault-k8s's arguments until it is told to stop", async () => {
    const stop = new AbortController();
    const own = io(
      { AGENT_INJECT_VAULT_ADDR: 'http://vault:8200', AGENT_INJECT_LISTEN: '127.0.0.1:0' },
      stop.signal,
    );
    const port = new Promise<string>((resolve) => {
      own.stderr.on('data', (chunk) => {
        const found = /Listening on "127.0.0.1:(\d+)"/.exec(String(chunk))?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    const ended = run(['injector', 'agent-inject', '2>&1', ...files], own);
    const address = { host: '127.0.0.1', port: await port, path: '/health/ready', ca, agent: false as const };
    const status = await new Promise((resolve, reject) => {
      get(address, (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    expect(status).toBe(204);
    stop.abort();
    expect(await ended).toBe(0);
  });

  test.each<[string, string[], RegExp]>([
    ['another word', ['explode'], /^"explode" is not a command of meshroot injector {6}see: /],
    [
      'no certificate',
      ['-vault-address=x'],
      /^an admission webhook needs a certificate {6}give -tls-auto=NAME/,
    ],
    [
      'a TLS version that is none',
      ['-vault-address=x', '-tls-min-version=ssl3'],
      /^"ssl3" is not a TLS version {6}write one of tls10, tls11, tls12, tls13/,
    ],
    [
      'a cipher suite that is none',
      ['-vault-address=x', '-tls-cipher-suites=FOO'],
      /^"FOO" is not a cipher suite/,
    ],
    [
      'an address that is none',
      ['-vault-address=x', '-listen=nowhere', 'FILES'],
      /^"nowhere" is not an address to listen on/,
    ],
  ])('refuses %s', async (_, args, message) => {
    const own = io({}, AbortSignal.abort());
    const code = await run(['injector', ...args.flatMap((arg) => (arg === 'FILES' ? files : [arg]))], own);
    own.stderr.end();
    expect(String(own.stderr.read())).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('meshroot injector explain', () => {
  const V = 'vault.hashicorp.com';
  async function explained(
    manifest: string,
    ...args: string[]
  ): Promise<{ out: string; err: string; code: number }> {
    const file = join(await mkdtemp(join(tmpdir(), 'explain-')), 'pod.yaml');
    await writeFile(file, manifest);
    const io: Io & { stdout: PassThrough; stderr: PassThrough } = {
      stdout: new PassThrough(),
      stderr: new PassThrough(),
      env: { AGENT_INJECT_VAULT_ADDR: 'https://vault:8200' },
      signal: new AbortController().signal,
      exitCode: 0,
    };
    const code = await run(['injector', 'explain', file, ...args], io);
    return { out: String(io.stdout.read() ?? ''), err: String(io.stderr.read() ?? ''), code };
  }
  const pod = (annotations: string) =>
    `kind: Pod\nmetadata: {name: p, annotations: {${V}/agent-inject: "true", ${annotations}}}\nspec: {containers: [{name: a}]}\n`;

  test('prints the decision, the configuration of the agents and the changes of the pod', async () => {
    const { out, code } = await explained(pod(`${V}/role: r, ${V}/agent-inject-secret-x: kv/x`));
    expect(code).toBe(0);
    expect(out).toMatch(/^default\/Pod p: injected \(agents: vault-agent-init, vault-agent\)\n/);
    expect(out).toContain('  configuration of vault-agent-init\n    auto_auth:\n');
    expect(out).toMatch(/\n {4}\+ +- name: vault-secrets\n/);
    expect(out).not.toMatch(/^ *- {2}/m);
  });

  test('a refused pod is exit code 1, as text and as JSON', async () => {
    const { out, code } = await explained(pod(''), '--namespace', 'demo');
    expect([code, out.split('\n').slice(0, 2)]).toEqual([
      1,
      [
        'demo/Pod p: refused (error validating agent configuration: no Vault role found)',
        `      name the role in ${V}/role`,
      ],
    ]);
    const json = await explained(pod(''), '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      pods: [{ name: 'Pod p', namespace: 'default', decision: 'refused' }],
    });
  });

  test('asks the policy of the injector', async () => {
    const policy = join(await mkdtemp(join(tmpdir(), 'explain-')), 'policy.yaml');
    await writeFile(policy, '{rules: [{namespaces: [default], roles: [app]}]}');
    const { out } = await explained(pod(`${V}/role: r`), `-policy-file=${policy}`);
    expect(out).toContain(
      'refused (error checking policy: namespace default may not use role "r")\n      allowed: app ',
    );
  });

  test.each([
    ['no pod', 'kind: Service\n', /holds no pod, and nothing that makes pods {6}give a Pod/],
    ['no YAML', '{', /pod\.yaml: /],
  ])('%s is exit code 2', async (_, manifest, message) => {
    const { err, code } = await explained(manifest);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('meshroot injector manifests', () => {
  async function printed(...args: string[]): Promise<{ out: string; err: string; code: number }> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const { signal } = new AbortController();
    const code = await run(['injector', 'manifests', ...args], {
      stdout,
      stderr,
      env: {},
      signal,
      exitCode: 0,
    });
    return { out: String(stdout.read() ?? ''), err: String(stderr.read() ?? ''), code };
  }

  test('prints what kubectl applies, with the flags as environment of the injector', async () => {
    const { out, code } = await printed(
      '-vault-address=https://v:8200',
      '-native-sidecar=true',
      '--json',
      '--fail-closed',
      'a,b',
    );
    expect(code).toBe(0);
    const { kind, items } = JSON.parse(out) as {
      kind: string;
      items: { kind: string; webhooks?: unknown[] }[];
    };
    expect(kind).toBe('List');
    expect(items.at(-1)?.webhooks).toHaveLength(2);
    expect(out).toMatch(/"name": "MESHROOT_NATIVE_SIDECAR",\s+"value": "true"/);
    const yaml = await printed('-vault-address=https://v:8200');
    expect(yaml.out).toMatch(/^---\napiVersion: v1\nkind: Namespace\n/);
  });

  test.each<[string[], RegExp]>([
    [['--fail-closed', 'istio_system'], /"istio_system" is no name of a namespace {6}write/],
    [['--replicas', 'many'], /no number of pods/],
    [['--policy', '/nonexistent'], /cannot read \/nonexistent: /],
  ])('%j is exit code 2', async (args, message) => {
    const { err, code } = await printed('-vault-address=x', ...args);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });
});
