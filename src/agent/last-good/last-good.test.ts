import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { type TestAgent, testAgent } from '../test-agent.ts';
import { type KvBundle, testBundles } from '../test-bundle.ts';
import { type TestVault, testVault } from '../test-vault.ts';

const path = 'kv/istiod/certs';
const keys = {
  'ca-key.pem': 'ca_key',
  'ca-cert.pem': 'ca_cert',
  'root-cert.pem': 'root_cert',
  'cert-chain.pem': 'cert_chain',
};
const hour = 3_600_000;

describe('a restart while the store is down', () => {
  let vault: TestVault;
  let agent: TestAgent;
  let bundle: (ttlDays?: number) => Promise<KvBundle>;
  beforeEach(async () => {
    vault = await testVault();
    agent = await testAgent(() => vault.address);
    bundle = await testBundles(Date.now());
    vault.data[path] = await bundle();
  });
  afterEach(async () => {
    await agent.remove();
    await vault.close();
  });

  const cache = (): string => join(agent.folder, 'cache');
  function stanzas(more = '', once = true, folder = 'secrets'): string {
    const templates = Object.entries(keys).map(
      ([file, key]) => `template { destination = "${join(agent.folder, folder, file)}"
        contents = "{{ with secret \\"${path}\\" }}{{ .Data.${key} }}{{ end }}" }`,
    );
    return `exit_after_auth = ${once}
cache { persist "file" { path = "${cache()}" key_file = "${agent.folder}/elsewhere/key" ${more} } }
listener "tcp" { address = "127.0.0.1:0" tls_disable = true }
template_config { static_secret_render_interval = "50ms" }
auto_auth { method "kubernetes" { mount_path = "auth/kubernetes-c1" min_backoff = "50ms" max_backoff = "100ms"
  config = { role = "r", token_path = "${agent.folder}/jwt" } } }
${templates.join('\n')}`;
  }
  const copy = async (): Promise<string> => {
    const name = (await readdir(cache())).find((n) => n.startsWith('last-good-'));
    return join(cache(), name ?? 'none');
  };
  const at = (offset: number): Clock => ({ ...systemClock, now: () => Date.now() + offset });
  /** The state of a new pod: its files are gone, the copy is there. */
  async function restart(): Promise<void> {
    await rm(join(agent.folder, 'secrets'), { recursive: true });
    vault.down = true;
  }
  const refusedWith = async (reason: string, clock: Clock = systemClock, more = ''): Promise<void> => {
    void agent.run(stanzas(more), clock);
    await agent.until(() => agent.log().includes(reason));
    expect(agent.log()).toContain('the last good copy is not used');
    await expect(agent.file('secrets/ca-key.pem')).rejects.toThrow('ENOENT');
    await agent.stop();
  };

  test('an init container delivers the last good set and ends, and says so', async () => {
    const good = vault.data[path];
    expect(await agent.run(stanzas())).toBe(0);
    await restart();
    expect(await agent.run(stanzas())).toBe(0);
    expect(await agent.file('secrets/ca-key.pem')).toBe(good?.ca_key);
    expect(agent.log()).toMatch(
      /\[WARN\] +template\.server: the store is down: rendered from the last good copy: ageSeconds=\d/,
    );
    expect(JSON.parse(await agent.file('secrets/.meshroot-set.json'))).toMatchObject({
      state: 'delivered',
      source: 'last-good copy: the store was down',
    });
  });

  test('a sidecar says so in its metrics, and recovers when the store is back', async () => {
    await agent.run(stanzas());
    await restart();
    void agent.run(stanzas('', false));
    await agent.until(() => agent.log().includes('rendered from the last good copy'));
    const url = [...agent.log().matchAll(/listening: address=(\S+)/g)].at(-1)?.[1];
    const metrics = (): Promise<string> => fetch(`${url}/agent/v1/metrics`).then((r) => r.text());
    expect(await metrics()).toContain('meshroot_agent_last_good_in_use 1');
    const fresh = await bundle();
    vault.data[path] = fresh;
    vault.down = false;
    await agent.until(async () => (await agent.file('secrets/ca-cert.pem')) === fresh.ca_cert);
    await agent.until(async () => (await metrics()).includes('meshroot_agent_last_good_in_use 0'));
    expect(JSON.parse(await agent.file('secrets/.meshroot-set.json')).source).toBeUndefined();
  });

  test('the copy holds no secret in the clear and nobody else may read it', async () => {
    await agent.run(stanzas());
    const sealed = await readFile(await copy(), 'latin1');
    expect(sealed).not.toContain('BEGIN');
    expect(sealed).not.toContain('ca_key');
    expect((await stat(await copy())).mode & 0o777).toBe(0o600);
    expect((await stat(join(agent.folder, 'elsewhere', 'key'))).mode & 0o777).toBe(0o600);
  });

  test('a copy that was changed by one bit is refused', async () => {
    await agent.run(stanzas());
    await restart();
    const bytes = await readFile(await copy());
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(await copy(), bytes);
    await refusedWith('it was changed, or made with another key');
  });

  test('a copy is refused for another identity', async () => {
    await agent.run(stanzas());
    await restart();
    const claims = Buffer.from('{"sub":"system:serviceaccount:other:sa"}').toString('base64url');
    await writeFile(join(agent.folder, 'jwt'), `a.${claims}.c`);
    await refusedWith('for another role or other files');
  });

  test('a copy for other files is not found', async () => {
    await agent.run(stanzas());
    await restart();
    void agent.run(stanzas('', true, 'elsewhere-secrets'));
    await agent.until(() => agent.log().split('error authenticating').length > 3);
    await expect(agent.file('elsewhere-secrets/ca-key.pem')).rejects.toThrow('ENOENT');
  });

  test('a copy is refused when it is too old, or its certificate has ended', async () => {
    await agent.run(stanzas());
    await restart();
    await refusedWith('the last good copy is older than max_age', at(25 * hour));
    await refusedWith('holds a certificate that has ended', at(91 * 24 * hour), 'max_age = "2400h"');
    await refusedWith('is from the future: compare the clocks', at(-2 * hour));
  });

  test('a refusal of the store is no outage: the copy is not used', async () => {
    await agent.run(stanzas());
    await restart();
    vault.down = false;
    vault.broken['auth/kubernetes-c1/login'] = 403;
    void agent.run(stanzas());
    await agent.until(() => agent.log().split('error authenticating').length > 3);
    expect(agent.log()).not.toContain('last good copy');
  });

  test('without a key of its own a copy on a disk is not kept', async () => {
    const beside = stanzas('exit_on_err = true').replace(/key_file = "[^"]+"/, '');
    await expect(agent.run(beside)).rejects.toMatchObject({
      code: 'last-good-not-kept',
      message: expect.stringContaining('the key would lie beside what it protects'),
      hint: expect.stringContaining('key_file'),
    });
  });
});
