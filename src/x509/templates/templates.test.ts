import { beforeAll, describe, expect, test } from 'vitest';
import { days, hours } from '../../lib/duration.ts';
import { generateKeyPair } from '../keys.ts';
import { nameText } from '../name.ts';
import { type TestMesh, testIntermediate, testMesh, testNow, testRoot } from '../test-ca.ts';
import { oracle } from '../test-oracle.ts';
import { issueIstiodServing } from './istiod.ts';
import { issueServing } from './serving.ts';
import { issueWorkload } from './workload.ts';

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await testMesh();
});

const extensionOrder = (pem: string) =>
  new oracle.X509Certificate(pem).extensions.map(
    ({ type, critical }) => `${type}${critical ? ' critical' : ''}`,
  );

describe('the profiles', () => {
  test('root: as make root-ca of tools/certs', () => {
    const { certificate } = mesh.root;
    expect(nameText(certificate.subject)).toBe('CN=Root CA,O=Istio');
    expect(extensionOrder(certificate.pem)).toEqual([
      '2.5.29.14',
      '2.5.29.19 critical',
      '2.5.29.15 critical',
    ]);
    expect(certificate.pathLength).toBeUndefined();
    expect([...(certificate.keyUsage ?? [])]).toEqual([
      'digitalSignature',
      'nonRepudiation',
      'keyEncipherment',
      'keyCertSign',
    ]);
    expect(certificate.notAfter).toBe(testNow + days(3650));
  });

  test('intermediate: as make NAME-cacerts of tools/certs with OpenSSL 3', () => {
    const { certificate } = mesh.intermediate;
    expect(certificate.subject).toEqual([
      { type: 'O', value: 'Istio' },
      { type: 'CN', value: 'Intermediate CA' },
      { type: 'L', value: 'cluster1' },
    ]);
    expect(extensionOrder(certificate.pem)).toEqual([
      '2.5.29.14',
      '2.5.29.19 critical',
      '2.5.29.15 critical',
      '2.5.29.17',
      '2.5.29.35',
    ]);
    expect(certificate.pathLength).toBe(0);
    expect(certificate.sans.dns).toEqual(['istiod.istio-system.svc']);
  });

  test('workload: as istiod, extensions in the order of Go', () => {
    expect(extensionOrder(mesh.leaf.certificate.pem)).toEqual([
      '2.5.29.15 critical',
      '2.5.29.37',
      '2.5.29.19 critical',
      '2.5.29.35',
      '2.5.29.17 critical',
    ]);
  });

  test('istiod: DNS names only, no subject, no longer than its issuer', async () => {
    const serving = await issueIstiodServing({
      issuer: mesh.intermediate,
      publicKey: mesh.leaf.key.publicKey,
      dns: ['istiod.istio-system.svc', 'istiod-remote.istio-system.svc'],
      ttl: days(3650),
      now: testNow,
    });
    expect(serving.subject).toEqual([]);
    expect(serving.sans).toMatchObject({
      dns: ['istiod.istio-system.svc', 'istiod-remote.istio-system.svc'],
      uri: [],
    });
    expect(serving.notAfter).toBe(mesh.intermediate.certificate.notAfter);
  });

  test('key kinds sign with the digests of Go', async () => {
    for (const [type, algorithm] of [
      ['rsa-2048', 'SHA256-RSA'],
      ['ec-p384', 'ECDSA-SHA384'],
      ['ec-p521', 'ECDSA-SHA512'],
      ['ed25519', 'Ed25519'],
    ] as const) {
      expect((await testRoot(type)).certificate.signatureAlgorithm).toBe(algorithm);
    }
  });
});

describe('issuing is refused', () => {
  const workload = (issuer: TestMesh['root'], now = testNow) =>
    issueWorkload({
      issuer,
      publicKey: mesh.leaf.key.publicKey,
      spiffeId: 'spiffe://a/b',
      ttl: hours(1),
      now,
    });

  test('to an intermediate or a server that would outlive its issuer', async () => {
    await expect(testIntermediate(mesh.root, { ttl: days(4000) })).rejects.toMatchObject({
      code: 'outlives-issuer',
      message: 'the intermediate would end 2036-12-14, after its issuer (2035-12-30)',
    });
    const serving = {
      issuer: mesh.intermediate,
      publicKey: mesh.leaf.key.publicKey,
      dns: ['a'],
      now: testNow,
    };
    await expect(async () => issueServing({ ...serving, ttl: days(91) })).rejects.toMatchObject({
      code: 'outlives-issuer',
    });
  });

  test('by an issuer that has ended', async () => {
    await expect(async () => workload(mesh.intermediate, testNow + days(91))).rejects.toMatchObject({
      code: 'issuer-expired',
      message: 'CN=Intermediate CA,O=Istio,L=cluster1 ended 2026-04-01 and cannot issue any more',
    });
  });

  test('by an end-entity certificate, and with a key that is not the issuer’s', async () => {
    const leaf = { ...mesh.leaf, privateKey: mesh.leaf.key.privateKey };
    await expect(async () => workload(leaf)).rejects.toMatchObject({ code: 'issuer-unusable' });
    const key = await generateKeyPair('ec-p256');
    const swapped = { ...mesh.intermediate, privateKey: key.privateKey };
    await expect(async () => workload(swapped)).rejects.toMatchObject({
      message: 'CN=Intermediate CA,O=Istio,L=cluster1 cannot issue: the key is not its own',
    });
  });

  test('for a time beyond the calendar of X.509, and for a name that no certificate can hold', async () => {
    await expect(async () => testRoot('ec-p256', days(4_000_000))).rejects.toMatchObject({
      code: 'bad-time',
    });
    await expect(async () =>
      issueWorkload({
        issuer: mesh.intermediate,
        publicKey: mesh.leaf.key.publicKey,
        spiffeId: 'spiffe://a/ü',
        ttl: 1,
        now: testNow,
      }),
    ).rejects.toMatchObject({ code: 'bad-alt-name' });
  });
});
