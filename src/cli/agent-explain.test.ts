import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from './agent-fast.ts';
import type { Io } from './io.ts';

describe('meshroot agent explain', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'explain-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  let env: Record<string, string> = {};
  async function explain(config: string, ...more: string[]): Promise<{ out: string; exit: number }> {
    await writeFile(join(folder, 'agent.hcl'), config);
    let out = '';
    const sink = new Writable({
      write(chunk, _, done) {
        out += String(chunk);
        done();
      },
    });
    const signal = new AbortController().signal;
    const io: Io = { stdout: sink, stderr: sink, env, signal, exitCode: 0 };
    expect(await run(['explain', `--config=${join(folder, 'agent.hcl')}`, ...more], io)).toBe(true);
    return { out, exit: io.exitCode };
  }
  const base = `vault { address = "https://vault.invalid:8200" ca_cert = "/ca.pem" }
auto_auth {
  method "kubernetes" { mount_path = "auth/kubernetes-c1" config = { role = "istiod" } }
  sink "file" { wrap_ttl = "5m" config = { path = "/t" } }
}
`;
  const set = ['ca-key', 'ca-cert', 'root-cert', 'cert-chain']
    .map(
      (n) =>
        `template { destination = "/s/${n}.pem" contents = "{{ with secret \\"kv/certs\\" }}{{ .Data.x }}{{ end }}" }`,
    )
    .join('\n');

  test('names the login, the sink, the set with what it reads, and the schedule; nothing is contacted or written', async () => {
    const { out, exit } = await explain(base + set);
    expect(exit).toBe(0);
    expect(out.split('\n')).toEqual(
      expect.arrayContaining([
        '  address: https://vault.invalid:8200',
        '  trust: roots of /ca.pem',
        '  request: PUT auth/kubernetes-c1/login',
        '  role: istiod',
        '  wrapped: for 300s',
        'set istio-ca in /s: verified whole, then swapped in at once',
        '  /s/ca-key.pem  (mode 0640, or 0644 in memory without fsGroup)',
        '    reads: secret kv/certs',
        '  what has no lease of its own is read again every 300s (less a random 5 to 15 %)',
      ]),
    );
    expect(await readdir(folder)).toEqual(['agent.hcl']);
  });

  test("takes OpenBao's variables before Vault's, and flags before both", async () => {
    env = { VAULT_ADDR: 'https://vault', BAO_ADDR: 'https://bao', VAULT_NAMESPACE: 'n', BAO_NAMESPACE: '' };
    expect((await explain(base + set)).out).toContain('address: https://bao\n  namespace: n\n');
    expect((await explain(base + set, '--address=https://flag')).out).toContain('address: https://flag\n');
    env = {};
  });

  test('names a gateway set, what an intermediate is asked of, what is kept and who is told', async () => {
    const gateway = ['tls.crt', 'tls.key', 'ca.crt'].map(
      (n) =>
        `template { destination = "/g/${n}" contents = "{{ with istioCA \\"root/root/sign-intermediate\\" \\"ttl=90d\\" }}{{ .Key }}{{ end }}" }`,
    );
    const { out } = await explain(`${base}${gateway.join('\n')}
cache { persist "file" { path = "/c" key_file = "/k" max_age = "1h" } }
on_change { folder = "/g" signal = "SIGHUP" pid_file = "/p" probe = "127.0.0.1:443" }`);
    expect(out.split('\n')).toEqual(
      expect.arrayContaining([
        'set gateway in /g: verified whole, then swapped in at once',
        '    reads: istio-ca root/root/sign-intermediate',
        'cache: what templates read is kept in /c for 3600s, sealed with the key in /k; used while the store is down',
        'on change of /g: sends SIGHUP to the process in /p, then waits 30s for 127.0.0.1:443 to show the new serial',
      ]),
    );
  });

  test('finds a template that cannot be parsed, leaves with 1, and does not run what has effects', async () => {
    const { out, exit } = await explain(
      `${base}template { destination = "/a" contents = "{{ nosuch }}" perms = "0600" command = "reload" }
template { destination = "/b" contents = "{{ \\"x\\" | writeToFile \\"${folder}/x\\" \\"\\" \\"\\" \\"0600\\" }}" }`,
      '--json',
    );
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      files: [
        {
          destination: '/a',
          mode: '0600',
          command: 'reload',
          problem: expect.stringContaining('"nosuch" not defined'),
        },
        { destination: '/b' },
      ],
    });
    expect(await readdir(folder)).toEqual(['agent.hcl']);
  });
});
