import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testBundles } from '../../../src/agent/test-bundle.ts';
import { testPki } from '../../../src/agent/test-tls.ts';
import { type TestVault, testVault } from '../../../src/agent/test-vault.ts';

const bin = new URL('../../../bin/meshroot', import.meta.url).pathname;
const names = {
  'ca-key.pem': 'ca_key',
  'ca-cert.pem': 'ca_cert',
  'root-cert.pem': 'root_cert',
  'cert-chain.pem': 'cert_chain',
};

describe('the agent as a process', () => {
  let vault: TestVault;
  let folder = '';
  beforeEach(async () => {
    vault = await testVault();
    vault.data['kv/certs'] = await (await testBundles(Date.now()))();
    folder = await mkdtemp(join(tmpdir(), 'agent-'));
    await writeFile(join(folder, 'jwt'), 'a.b.c');
  });
  afterEach(async () => {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function configure(exitAfterAuth: boolean): Promise<string> {
    const templates = Object.entries(names).map(
      ([file, key]) => `template {
  destination = "${folder}/secrets/${file}"
  contents = "{{ with secret \\"kv/certs\\" }}{{ .Data.${key} }}{{ end }}"
}`,
    );
    const path = join(folder, 'agent.hcl');
    await writeFile(
      path,
      `exit_after_auth = ${exitAfterAuth}
vault { address = "${vault.address}" }
template_config { static_secret_render_interval = "100ms"  exit_on_retry_failure = true }
auto_auth {
  method "kubernetes" {
    mount_path = "auth/kubernetes-c1"
    config = { role = "istiod", token_path = "${folder}/jwt" }
  }
  sink "file" { config = { path = "${folder}/.vault-token" } }
}
${templates.join('\n')}
`,
    );
    return path;
  }
  function start(...args: string[]) {
    const child = spawn(bin, ['agent', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const seen = { out: '' };
    child.stdout.on('data', (chunk) => (seen.out += String(chunk)));
    child.stderr.on('data', (chunk) => (seen.out += String(chunk)));
    return { child, seen };
  }

  test('in an init container prints the banner, writes four files and leaves with 0', async () => {
    const { child, seen } = start(`-config=${await configure(true)}`);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(seen.out).toContain('==> Vault agent started! Log data will stream in below:');
    for (const file of Object.keys(names))
      expect(await readFile(join(folder, 'secrets', file), 'utf8')).toContain('-----BEGIN');
  });

  test('in a sidecar stays until SIGTERM and leaves with 0', async () => {
    const { child, seen } = start(`-config=${await configure(false)}`);
    while (!seen.out.includes('cert-chain.pem"')) await once(child.stderr, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(seen.out).toContain('auth.handler: auth handler stopped');
  });

  test('the address on the command line wins over the configuration', async () => {
    const path = await configure(true);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(vault.address, 'http://127.0.0.1:1'));
    const { child } = start(`-config=${path}`, `-address=${vault.address}`, '-namespace', 'team');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(await readFile(join(folder, 'secrets', 'ca-key.pem'), 'utf8')).toContain('-----BEGIN');
  });

  test('SIGHUP goes on in a new log file when the old one was moved away', async () => {
    const path = await configure(false);
    const place = join(folder, 'agent.log');
    const { child, seen } = start(`-config=${path}`, `-log-file=${place}`);
    while (!seen.out.includes('cert-chain.pem"')) await once(child.stderr, 'data');
    await rename(place, `${place}.1`);
    child.kill('SIGHUP');
    while (!seen.out.includes('reloaded: ')) await once(child.stderr, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(await readFile(`${place}.1`, 'utf8')).toContain('authentication successful');
    const fresh = await readFile(place, 'utf8');
    expect(fresh).toContain('auth.handler: auth handler stopped');
    expect(fresh).not.toContain('authentication successful');
  });

  test('shows its certificate to a store whose root and name the command line gives', async () => {
    const pki = await testPki();
    const [server, own] = [await pki.server(), await pki.client('agent-7')];
    await vault.close();
    vault = await testVault(3600, {
      ...server,
      ca: pki.ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    vault.data['kv/certs'] = await (await testBundles(Date.now()))();
    const place = (name: string): string => join(folder, name);
    await writeFile(place('ca'), pki.ca);
    await writeFile(place('cert'), own.cert);
    await writeFile(place('key'), own.key);
    const config = `-config=${await configure(true)}`;
    const flags = [`-ca-cert=${place('ca')}`, `-client-cert=${place('cert')}`, `-client-key=${place('key')}`];
    const good = start(config, ...flags, '-tls-server-name=localhost');
    expect(await once(good.child, 'close'), good.seen.out).toEqual([0, null]);

    const wrong = start(config, ...flags, '-tls-server-name=elsewhere.example');
    while (!wrong.seen.out.includes('error authenticating')) await once(wrong.child.stderr, 'data');
    wrong.child.kill('SIGTERM');
    await once(wrong.child, 'close');
    expect(wrong.seen.out).toMatch(/altnames|ALTNAME/i);
  });

  test('leaves with 1 and the reason when a key is missing', async () => {
    vault.data['kv/certs'] = { ca_cert: 'x' };
    const { child, seen } = start(`-config=${await configure(true)}`, '-log-level=warn');
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(seen.out).toContain('map has no entry for key');
    expect(seen.out).not.toContain('[INFO]');
  });

  test('leaves with 1 for a configuration that is none, naming the place', async () => {
    await writeFile(join(folder, 'bad.hcl'), 'template {\n  contents = "x"\n}\n');
    const { child, seen } = start('-config', join(folder, 'bad.hcl'));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(seen.out).toContain('bad.hcl:2:3: a template needs a "destination"');
  });

  test('what few agents use is loaded beside the bundle, and shares its classes', async () => {
    const contents = [
      '{{ with secret "kv/certs" }}{{ .Data | sprig_keys | sprig_join "," }}{{ end }}',
      '{{ spew_sdump (sprig_list 1) }}',
      '{{ sockaddr "GetInterfaceIP \\"lo\\"" }}',
      '{{ plugin "/bin/echo" "said" }}',
    ];
    await writeFile(
      join(folder, 'agent.json'),
      JSON.stringify({
        exit_after_auth: true,
        vault: { address: vault.address },
        auto_auth: {
          method: {
            type: 'kubernetes',
            mount_path: 'auth/kubernetes-c1',
            config: { role: 'r', token_path: `${folder}/jwt` },
          },
        },
        listener: [{ type: 'tcp', address: '127.0.0.1:0', tls_disable: true }],
        cache: { persist: { type: 'file', path: `${folder}/cache`, key_file: `${folder}/key` } },
        template: [{ destination: `${folder}/rare`, contents: contents.join('\n') }],
      }),
    );
    await writeFile(join(folder, 'key'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
    const { child, seen } = start(`-config=${join(folder, 'agent.json')}`);
    expect(await once(child, 'close'), seen.out).toEqual([0, null]);
    const [keys, ...rest] = (await readFile(join(folder, 'rare'), 'utf8')).split('\n');
    expect(keys).toBe('ca_cert,ca_key,cert_chain,root_cert');
    expect(rest.join('\n')).toContain('(int) 1');
    expect(rest.slice(-2)).toEqual(['127.0.0.1', 'said']);
    expect(await readdir(join(folder, 'cache'))).toHaveLength(1);
  });

  test('starts from the bytecode that the build left, and without it where Node may not take it', () => {
    const script = `const { loadBundle } = require('${bin}/../load-bundle.cjs');
      const { exports, fromCache } = loadBundle(require('node:path').resolve('${bin}/../../dist/bin/meshroot.cjs'));
      console.log(typeof exports.main, fromCache);`;
    const loaded = (...flags: string[]) =>
      execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' }).trim();
    expect(loaded()).toBe('function true');
    expect(loaded('--max-old-space-size=100')).toBe('function false'); // other flags of V8, other bytecode
  });
});
