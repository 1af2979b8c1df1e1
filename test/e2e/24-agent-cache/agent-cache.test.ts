import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testBundles } from '../../../src/agent/test-bundle.ts';
import { type TestVault, testVault } from '../../../src/agent/test-vault.ts';
import { runMeshroot, startMeshroot } from '../../support/meshroot.ts';

/** A pod with `agent-cache-enable`: both agents as `injector explain -` shows them, the cache on a volume in memory. */

const bin = new URL('../../../bin/meshroot', import.meta.url).pathname;
const memory = '/dev/shm';
const path = 'kubernetes-c1-secrets/istiod-service/certs';
let vault: TestVault;
let folder: string;
let cache: string;

beforeAll(async () => {
  vault = await testVault();
  vault.data[path] = await (await testBundles(Date.now()))();
  folder = await mkdtemp(join(tmpdir(), 'agent-cache-'));
  if (existsSync(memory)) cache = await mkdtemp(join(memory, 'agent-cache-'));
  await mkdir(join(folder, 'sa'));
  await writeFile(join(folder, 'sa', 'token'), 'a.b.c');
});
afterAll(async () => {
  await vault.close();
  for (const place of [folder, cache]) if (place !== undefined) await rm(place, { recursive: true });
});

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const annotations = {
  'meshroot.io/istio-ca': 'true',
  'meshroot.io/cluster': 'c1',
  'vault.hashicorp.com/agent-cache-enable': 'true',
  'vault.hashicorp.com/agent-cache-listener-port': '0',
};
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'istiod', namespace: 'istio-system', annotations },
  spec: {
    containers: [{ name: 'discovery', image: 'pilot', volumeMounts: [{ name: 't', mountPath }] }],
    volumes: [{ name: 't' }],
  },
};

/** The configurations that the injector gives, with the paths of the pod on this machine. */
async function configurations(): Promise<Record<string, string>> {
  const words = ['injector', 'explain', '-', `-vault-address=${vault.address}`, '--json'];
  const child = spawn(bin, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(pod));
  const { pods } = JSON.parse(await text(child.stdout)) as {
    pods: { agents: { name: string; configuration: object }[] }[];
  };
  const here = (configuration: object): string =>
    JSON.stringify(configuration)
      .replaceAll(mountPath, join(folder, 'sa'))
      .replaceAll('/vault/secrets', join(folder, 'secrets'))
      .replaceAll('/vault/agent-cache', cache)
      .replaceAll('/home/vault', folder);
  return Object.fromEntries(
    pods.flatMap(({ agents }) => agents.map((agent) => [agent.name, here(agent.configuration)])),
  );
}

test.skipIf(!existsSync(memory))(
  'after a restart while the store is down delivers what was good last',
  async () => {
    const found = await configurations();
    const saved = async (name: string): Promise<string> => {
      const place = join(folder, `${name}.json`);
      await writeFile(place, found[name] ?? '');
      return `-config=${place}`;
    };
    const init = await saved('vault-agent-init');
    const first = await runMeshroot(['agent', init]);
    expect(first.code, first.stderr).toBe(0);
    const key = () => readFile(join(folder, 'secrets', 'ca-key.pem'), 'utf8');
    expect(await key()).toContain(vault.data[path]?.ca_key);
    for (const name of await readdir(cache))
      expect(await readFile(join(cache, name), 'latin1')).not.toContain('PRIVATE KEY');

    await rm(join(folder, 'secrets'), { recursive: true });
    vault.down = true;
    const again = await runMeshroot(['agent', init]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr + again.stdout).toContain('the store is down: rendered from the last good copy');
    expect(await key()).toContain(vault.data[path]?.ca_key);

    const sidecar = startMeshroot(['agent', await saved('vault-agent')]);
    await sidecar.until(/rendered from the last good copy/);
    vault.down = false;
    await sidecar.until(/authentication successful/);
    sidecar.child.kill('SIGTERM');
    expect(await sidecar.ended).toBe(0);
  },
);
