import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmptyCluster, emptyCluster } from '../../test/support/empty-cluster.ts';
import { privateKeyPem } from '../x509/keys.ts';
import { type TestMesh, testMesh, testNow, testRoot } from '../x509/test-ca.ts';
import { decideImport, seeImport } from './imported-ca.ts';
import { parseMesh } from './load.ts';

const clusterWith = (source: string) =>
  parseMesh(
    `apiVersion: meshroot/v1\nkind: Mesh\nvault: { address: "https://v" }\nclusters: [{ name: eu, intermediate: { import: ${source} } }]`,
    'mesh.yaml',
  ).clusters[0]!;

describe('a CA to be taken along', () => {
  let cluster: EmptyCluster;
  let mesh: TestMesh;
  const reach = { kube: async () => cluster.kube };
  const eu = clusterWith('{ secret: default/cacerts }');
  beforeAll(async () => {
    [cluster, mesh] = await Promise.all([emptyCluster(), testMesh()]);
    const { root, intermediate } = mesh;
    await cluster.kube.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cacerts', namespace: 'default' },
      stringData: {
        'ca-key.pem': privateKeyPem(intermediate.privateKey).reveal(),
        'ca-cert.pem': intermediate.certificate.pem,
        'cert-chain.pem': intermediate.certificate.pem + root.certificate.pem,
        'root-cert.pem': root.certificate.pem,
      },
    });
  });
  afterAll(() => cluster.close());

  test('is read with its key only while Vault has none; later only its metadata travels', async () => {
    const first = await seeImport(eu, reach, false);
    expect(first).toMatchObject({ from: 'Secret default/cacerts', leftover: undefined });
    expect(first?.bundle?.caKey.reveal()).toContain('PRIVATE KEY');
    expect(await seeImport(eu, reach, true)).toEqual({
      from: 'Secret default/cacerts',
      bundle: undefined,
      error: undefined,
      leftover:
        "Secret default/cacerts of eu still holds the CA's key; once istiod reads it from Vault: kubectl --namespace default delete secret cacerts",
    });
    const selection = { namespace: 'default', fieldSelector: 'metadata.name=cacerts', metadataOnly: true };
    const [found] = await cluster.kube.list({ apiVersion: 'v1', kind: 'Secret' }, selection);
    expect([found?.metadata.name, found?.data]).toEqual(['cacerts', undefined]);
  });

  test('is added under its own root, and under no other', async () => {
    const seen = (await seeImport(eu, reach, false))!;
    expect(decideImport(seen, mesh.root.certificate, eu, testNow)).toEqual({
      kind: 'add',
      lines: [expect.stringMatching(/^\+ imported from Secret default\/cacerts: .*; trust does not change$/)],
    });
    for (const root of [undefined, (await testRoot()).certificate]) {
      expect(decideImport(seen, root, eu, testNow)).toMatchObject({
        kind: 'refuse',
        error: { code: 'root-mismatch', exit: 1 },
      });
    }
  });

  test('that has ended, is not whole or is not there is refused', async () => {
    const seen = (await seeImport(eu, reach, false))!;
    const { certificate } = mesh.root;
    const later = mesh.intermediate.certificate.notAfter + 1000;
    expect(decideImport(seen, certificate, eu, later)).toMatchObject({
      kind: 'refuse',
      error: { code: 'bad-import' },
    });
    const folder = mkdtempSync(join(tmpdir(), 'no-ca-'));
    const empty = clusterWith(`{ folder: "${folder}" }`);
    expect(decideImport((await seeImport(empty, reach, false))!, certificate, empty, testNow)).toMatchObject({
      kind: 'refuse',
      error: {
        code: 'bad-import',
        message: `eu: folder ${folder} cannot serve: ${join(folder, 'ca-key.pem')} is missing`,
      },
    });
    rmSync(folder, { recursive: true });
    const gone = clusterWith('{ secret: default/other }');
    expect(decideImport((await seeImport(gone, reach, false))!, certificate, gone, testNow)).toMatchObject({
      kind: 'refuse',
      error: { code: 'no-import', message: 'eu: Secret default/other is not there' },
    });
  });

  test('is named in one way: secret or folder', () => {
    expect(() => clusterWith('{}')).toThrow('needs secret or folder, one of the two');
    expect(() => clusterWith('{ secret: cacerts }')).toThrow('must be NAMESPACE/NAME');
  });
});
