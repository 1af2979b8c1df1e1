import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { manifests } from '../../../scripts/charts.ts';
import { tempFolder, testBundle, testRoot, writeFiles } from '../../../src/istio/test-mesh.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type SandboxCluster, startCluster } from '../../../src/sandbox/cluster.ts';
import { helmTemplate } from '../../support/helm.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { objectsOf, valueFiles } from './rendered.ts';

const folder = mkdtempSync(join(tmpdir(), 'meshroot-charts-'));
const root = new URL('../../../', import.meta.url).pathname;
let cluster: SandboxCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await startCluster({ name: 'cluster1', clock: systemClock });
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, cluster.adminKubeconfig.reveal(), { mode: 0o600 });
  kubectl = new Kubectl(path, folder);
  for (const name of ['mesh', 'istio-system']) await kubectl.ok(['create', 'namespace', name]);
});

afterAll(async () => {
  await cluster.close();
  rmSync(folder, { recursive: true });
});

describe('an API server', () => {
  test.each(valueFiles)('accepts every object that the chart makes of %s', async (values) => {
    const yaml = await helmTemplate('test', 'mesh', ['-f', values]);
    const out = await kubectl.ok(['apply', '--dry-run=server', '-f', '-'], yaml);
    expect(out.trim().split('\n')).toHaveLength(objectsOf(yaml).length);
  });

  test('gets the plain manifests by kubectl apply, twice, and the second changes nothing', async () => {
    const files = manifests.flatMap(({ file }) => ['-f', join(root, file)]);
    await kubectl.ok(['apply', ...files]);
    const versions = (): Promise<string> =>
      kubectl.ok([
        'get',
        ...files,
        '-o',
        'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation}{"\\n"}{end}',
      ]);
    const first = await versions();
    expect(first.trim().split('\n').length).toBeGreaterThan(15);
    await kubectl.ok(['apply', ...files]);
    expect(await versions()).toBe(first);
  });

  test('then lets the CA review tokens, and no account of the chart read a Secret', async () => {
    const may = async (user: string, ...words: string[]): Promise<string> => {
      const { stdout } = await kubectl.run([
        'auth',
        'can-i',
        ...words,
        '--as',
        `system:serviceaccount:${user}`,
      ]);
      return stdout.trim();
    };
    expect(await may('istio-system:meshroot-ca', 'create', 'tokenreviews.authentication.k8s.io')).toBe('yes');
    expect(
      await may('istio-system:meshroot-ca', 'update', 'configmaps/istio-ca-root-cert', '-n', 'demo'),
    ).toBe('yes');
    expect(await may('istio-system:meshroot-ca', 'update', 'configmaps/other', '-n', 'demo')).toBe('no');
    const own = 'mutatingwebhookconfigurations.admissionregistration.k8s.io/vault-agent-injector-cfg';
    expect(await may('vault:vault-agent-injector', 'patch', own)).toBe('yes');
    expect(await may('vault:vault-agent-injector', 'patch', own.replace('vault-agent', 'other'))).toBe('no');
    for (const user of ['istio-system:meshroot-ca', 'vault:vault-agent-injector']) {
      expect(await may(user, 'get', 'secrets', '-A')).toBe('no');
    }
  });

  test('lets the CA follow the ConfigMap with the root in every namespace, and no other one', async () => {
    const ask = ['get', 'configmaps', '-A', '--as', 'system:serviceaccount:istio-system:meshroot-ca'];
    const own = await kubectl.run([...ask, '--field-selector', 'metadata.name=istio-ca-root-cert']);
    expect(own).toMatchObject({ code: 0, stderr: 'No resources found\n' });
    for (const words of [[], ['--field-selector', 'metadata.name=other']]) {
      const { code, stderr } = await kubectl.run([...ask, ...words]);
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('is forbidden') });
    }
  });

  test('gives the CA every right that it needs: it starts and publishes its root', async () => {
    const account = ['meshroot-ca', '-n', 'istio-system'];
    const token = (await kubectl.ok(['create', 'token', ...account])).trim();
    const path = join(folder, 'ca.kubeconfig');
    writeFileSync(path, asBearer(cluster, token), { mode: 0o600 });
    const bundle = await tempFolder();
    await writeFiles(bundle.path, await testBundle(await testRoot()));
    const args = ['ca', '--root-ca-dir', bundle.path, '--listen', '127.0.0.1:0', '--kubeconfig', path];
    const ca = spawn(process.execPath, [join(root, 'bin/meshroot'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    ca.stdout.on('data', (chunk) => (log += String(chunk)));
    ca.stderr.on('data', (chunk) => (log += String(chunk)));
    try {
      const published = (): string =>
        JSON.stringify(cluster.store.get('configmaps', 'mesh', 'istio-ca-root-cert') ?? '');
      await vi.waitFor(() => expect(published(), log).toContain('BEGIN CERTIFICATE'), { timeout: 20_000 });
      expect(
        cluster.store.get('leases.coordination.k8s.io', 'istio-system', 'meshroot-ca-root-publisher'),
      ).toBeDefined();
      expect(log).not.toMatch(/no right|forbidden/);
    } finally {
      ca.kill();
      await bundle.remove();
    }
  });
});

function asBearer({ url, caPem }: SandboxCluster, token: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': btoa(caPem) } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  });
}
