import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type TestAgent, testAgent } from './test-agent.ts';
import { type KvBundle, testBundles } from './test-bundle.ts';
import { type TestVault, testVault } from './test-vault.ts';

const run = promisify(execFile);
const path = 'kv/certs';
const keys = {
  'ca-key.pem': 'ca_key',
  'ca-cert.pem': 'ca_cert',
  'root-cert.pem': 'root_cert',
  'cert-chain.pem': 'cert_chain',
};

/** Why there can be no file system of our own here; undefined when there can. */
async function whyNot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'mounting takes root';
  const place = await mkdtemp(join(tmpdir(), 'mountable-'));
  const refused = await run('mount', ['-t', 'tmpfs', 'none', place]).then(
    () => run('umount', [place]).then(() => undefined),
    () => 'mounting is not allowed here',
  );
  await rm(place, { recursive: true });
  return refused;
}
/** As soon as nobody writes there: until then the system says that it is busy. */
const readOnly = (place: string): Promise<unknown> =>
  vi.waitFor(() => run('mount', ['-o', 'remount,ro', place]), { timeout: 10_000, interval: 20 });

const reason = await whyNot();
if (reason !== undefined) test.skip(`an agent on a real file system: ${reason}`, () => {});

describe.skipIf(reason !== undefined)('an agent on a real file system', () => {
  let vault: TestVault;
  let agent: TestAgent;
  let secrets: string;
  let bundle: () => Promise<KvBundle>;

  beforeEach(async () => {
    vault = await testVault();
    agent = await testAgent(() => vault.address);
    secrets = join(agent.folder, 'secrets');
    await mkdir(secrets);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', secrets]);
    bundle = await testBundles(Date.now());
    vault.data[path] = await bundle();
  });
  afterEach(async () => {
    await agent.stop();
    await run('umount', [secrets]);
    await agent.remove();
    await vault.close();
  });

  const stanzas = (more: string): string =>
    `${more}
template_config { static_secret_render_interval = "50ms" exit_on_retry_failure = ${more.includes('true')} }
${Object.entries(keys)
  .map(
    ([file, key]) =>
      `template { destination = "${secrets}/${file}" contents = "{{ with secret \\"${path}\\" }}{{ .Data.${key} }}{{ end }}" }`,
  )
  .join('\n')}`;
  const holds = (name: string, text: unknown) => async (): Promise<boolean> =>
    (await readFile(join(secrets, name), 'utf8').catch(() => '')) === text;

  test('that is full keeps the old set whole, says what to do, and delivers when there is room', async () => {
    void agent.run(stanzas(''));
    const first = vault.data[path];
    await agent.until(holds('cert-chain.pem', first?.cert_chain));
    const fill = run('dd', ['if=/dev/zero', `of=${join(secrets, 'filler')}`, 'bs=4k']);
    await expect(fill).rejects.toThrow('No space left');
    const second = await bundle();
    vault.data[path] = second;
    await agent.until(() => agent.log().includes(`failed writing ${secrets}: no space left on device`));
    expect(agent.log()).toContain('hint="make room, or give the volume (an emptyDir has a sizeLimit) more"');
    for (const [file, key] of Object.entries(keys)) expect(await holds(file, first?.[key])()).toBe(true);
    await rm(join(secrets, 'filler'));
    await agent.until(holds('ca-key.pem', second.ca_key));
    const staged = async (): Promise<string[]> =>
      (await readdir(secrets)).filter((name) => /^\.\.\d/.test(name));
    await agent.until(async () => (await staged()).length === 1); // neither the old set nor half a new one is left
  });

  test('that is read-only ends an init container with the reason and the hint', async () => {
    await readOnly(secrets);
    await expect(agent.run(stanzas('exit_after_auth = true'))).rejects.toMatchObject({
      code: 'template-write',
      message: `failed writing ${secrets}: read-only file system`,
      hint: 'mount a writable volume there',
    });
  });

  test('that is read-only is named by a sink before anybody logs in', async () => {
    await readOnly(secrets);
    const started = agent.run(`exit_after_auth = true
auto_auth { method "kubernetes" { mount_path = "auth/kubernetes-c1" config = { role = "r", token_path = "${agent.folder}/jwt" } }
  sink "file" { config = { path = "${secrets}/token" } } }`);
    await expect(started).rejects.toThrow(/error during write check.*read-only/s);
    expect(vault.requests).toEqual([]);
  });

  test('that becomes writable again under a sidecar gets the next set', async () => {
    void agent.run(stanzas(''));
    await agent.until(holds('ca-cert.pem', vault.data[path]?.ca_cert));
    await readOnly(secrets);
    const second = await bundle();
    vault.data[path] = second;
    await agent.until(() => agent.log().includes('hint="mount a writable volume there"'));
    await run('mount', ['-o', 'remount,rw', secrets]);
    await agent.until(holds('ca-cert.pem', second.ca_cert));
  });
});
