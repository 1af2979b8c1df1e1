import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EmptyCluster, emptyCluster } from '../../test/support/empty-cluster.ts';
import { runHere } from '../../test/support/run-here.ts';
import { readClusterObjects } from '../mesh/found/cluster-objects.ts';
import { type TestCa, testRoot } from '../x509/test-ca.ts';

describe('meshroot init --from-context', () => {
  let cluster: EmptyCluster;
  let root: TestCa;
  let dir: string;
  const file = () => join(dir, 'mesh.yaml');
  const init = (...args: string[]) =>
    runHere([
      'init',
      '--from-context',
      'eu=empty',
      '--kubeconfig',
      cluster.kubeconfig,
      '-f',
      file(),
      ...args,
    ]);
  const vault = ['--vault', 'https://vault.example:8200'];

  beforeAll(async () => {
    [cluster, root] = await Promise.all([emptyCluster(), testRoot()]);
    await cluster.kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } });
    await cluster.kube.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace: 'istio-system' },
      data: { 'root-cert.pem': root.certificate.pem },
    });
  });
  afterAll(() => cluster.close());
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'init-from-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('prints as JSON what it found, and which files it wrote', async () => {
    const { code, stdout } = await init(...vault, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      files: [join(dir, 'root-cert.pem'), file()],
      warnings: [],
      clusters: [{ name: 'eu', context: 'empty', root: root.certificate.fingerprint, unseen: [] }],
    });
    expect(readFileSync(file(), 'utf8')).toMatch(/ {2}- name: eu\n {4}context: empty\n {4}kubeconfig: /);
  });

  test('changes nothing on the cluster', async () => {
    const types = ['Namespace', 'ConfigMap', 'Secret', 'ServiceAccount'].map((kind) => ({
      apiVersion: 'v1',
      kind,
    }));
    const all = () => Promise.all(types.map((type) => cluster.kube.list(type)));
    const before = await all();
    expect((await init(...vault)).code).toBe(0);
    expect(await all()).toEqual(before);
  });

  test('never writes over a file, and then writes neither of the two', async () => {
    writeFileSync(file(), 'mine');
    expect(await init(...vault)).toMatchObject({
      code: 1,
      stderr: `${file()} is there already and is not overwritten      name another with -f FILE, or move it away\n`,
    });
    expect([readFileSync(file(), 'utf8'), existsSync(join(dir, 'root-cert.pem'))]).toEqual(['mine', false]);
    rmSync(file());
    writeFileSync(join(dir, 'root-cert.pem'), 'mine, too');
    expect(await init(...vault)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('root-cert.pem is there'),
    });
    expect(existsSync(file())).toBe(false);
  });

  test('says what it found but writes nothing when nobody knows where Vault is', async () => {
    expect(await init()).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('found   root '),
      stderr:
        'no cluster tells where Vault is, and nothing was written      add --vault https://vault.example:8200\n',
    });
    expect(existsSync(file())).toBe(false);
  });

  test('names what the user may not list', async () => {
    const { unseen } = await readClusterObjects(await cluster.as('nobody'));
    expect(unseen).toEqual([
      expect.stringMatching(/^Secret \(metadata\.name=cacerts\): .*cannot list/),
      expect.stringMatching(/^Secret \(metadata\.name=istio-ca-secret\): /),
      expect.stringMatching(/^Deployment \(app=istiod\): /),
      expect.stringMatching(/^Pod \(app=istiod\): /),
      expect.stringMatching(/^Deployment \(metadata\.name=cert-manager-istio-csr\): /),
      expect.stringMatching(/^MutatingWebhookConfiguration: /),
      expect.stringMatching(/^ConfigMap \(metadata\.name=istio\): /),
      expect.stringMatching(/^ConfigMap \(metadata\.name=istio-ca-root-cert\): /),
    ]);
  });

  test('takes clusters in one way only', async () => {
    expect(await init(...vault, '--cluster', 'other')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--cluster and --from-context are two ways to name clusters'),
    });
  });

  test('a context that is not there is refused with those that are', async () => {
    const missing = [
      'init',
      '--from-context',
      'nowhere',
      '--kubeconfig',
      cluster.kubeconfig,
      '-f',
      file(),
      ...vault,
    ];
    expect(await runHere(missing)).toMatchObject({ code: 2, stderr: expect.stringContaining('nowhere') });
  });
});
