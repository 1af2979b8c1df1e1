import { beforeAll, describe, expect, test } from 'vitest';
import { days } from '../lib/duration.ts';
import { Secret } from '../lib/secret.ts';
import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueWorkload } from '../x509/templates/workload.ts';
import { type TestMesh, testIntermediate, testMesh, testNow, testRoot } from '../x509/test-ca.ts';
import type { IstioBundle } from './bundle.ts';
import { judgeBundle, lintBundle } from './bundle-lint.ts';

let mesh: TestMesh;
let good: IstioBundle;
beforeAll(async () => {
  mesh = await testMesh();
  const { root, intermediate } = mesh;
  good = {
    caKey: privateKeyPem(intermediate.privateKey),
    caCert: intermediate.certificate.pem,
    certChain: intermediate.certificate.pem + root.certificate.pem,
    rootCert: root.certificate.pem,
  };
});

const judge = (changes: Partial<IstioBundle>, now = testNow) =>
  judgeBundle({ ...good, ...changes }, now).map(({ code, part }) => `${part} ${code}`);
const lint = (changes: Partial<IstioBundle>) =>
  lintBundle({ ...good, ...changes }, testNow).map(({ code, part }) => `${part} ${code}`);

describe('a bundle is fit for use', () => {
  test('as tools/certs lays it out', () => {
    expect(lint({})).toEqual([]);
  });

  test('without the root in its chain, and with a second root to be trusted', async () => {
    const other = (await testRoot()).certificate.pem;
    expect(lint({ certChain: good.caCert })).toEqual([]);
    expect(lint({ rootCert: good.rootCert + other, certChain: good.certChain + other })).toEqual([]);
  });

  test('with an empty chain when the CA is the root itself', () => {
    const { root } = mesh;
    const caKey = privateKeyPem(root.privateKey, 'traditional');
    expect(lint({ caKey, caCert: root.certificate.pem, certChain: '' })).toEqual([]);
  });
});

describe('a bundle is refused', () => {
  test('with the key of another certificate', async () => {
    const other = await testIntermediate(mesh.root);
    const caKey = privateKeyPem(other.privateKey);
    expect(judgeBundle({ ...good, caKey }, testNow)).toEqual([
      {
        part: 'caKey',
        code: 'key-does-not-match',
        message: 'ca-key.pem is not the key of CN=Intermediate CA,O=Istio,L=cluster1 in ca-cert.pem',
        hint: 'take key and certificate of the same issue',
      },
    ]);
  });

  test('with a chain file of the issue before: istiod would take it and serve broken chains', async () => {
    const before = await testIntermediate(mesh.root);
    expect(judge({ certChain: before.certificate.pem + good.rootCert })).toEqual([
      'certChain chain-lacks-ca',
    ]);
  });

  test('with its chain in the wrong order', () => {
    expect(judge({ certChain: good.rootCert + good.caCert })).toEqual(['certChain chain-out-of-order']);
  });

  test('under another root', async () => {
    expect(judge({ rootCert: (await testRoot()).certificate.pem })).toContain('caCert bad-signature');
  });

  test('after its end, once for the certificate that stands in two files', () => {
    expect(judge({}, testNow + days(91))).toEqual(['caCert expired']);
  });

  test('when an end-entity certificate stands in for the CA', () => {
    const caCert = mesh.leaf.certificate.pem;
    const caKey = privateKeyPem(mesh.leaf.key.privateKey);
    expect(judge({ caCert, caKey, certChain: caCert + good.certChain })).toEqual(['caCert not-a-ca']);
  });

  test('with an intermediate as its anchor', () => {
    expect(judge({ rootCert: good.caCert })).toEqual(['rootCert root-not-self-signed']);
  });

  test('with a key of 1024 bits', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const pair = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const { issueIntermediate } = await import('../x509/templates/intermediate.ts');
    const options = { issuer: mesh.root, publicKey: pair.publicKey, name: 'c', ttl: days(1), now: testNow };
    const caCert = (await issueIntermediate(options)).pem;
    const caKey = privateKeyPem(pair.privateKey);
    expect(judge({ caCert, caKey, certChain: caCert })).toEqual(['caCert weak-key']);
  });

  test('when its key does not stand first, is cut off or missing', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    expect(judge({ caKey: new Secret(parameters + good.caKey.reveal()) })).toEqual(['caKey key-not-first']);
    expect(judge({ caKey: new Secret('') })).toEqual(['caKey bad-private-key']);
  });

  test('with files that are no certificates, and the finding never shows a key', () => {
    const caCert = good.caKey.reveal();
    expect(judgeBundle({ ...good, caCert, rootCert: 'x' }, testNow)).toMatchObject([
      { part: 'caCert', code: 'bad-certificate', message: 'ca-cert.pem holds no certificate' },
      { part: 'rootCert', code: 'bad-certificate' },
    ]);
  });

  test('when the level above allows no CA that signs', async () => {
    const below = await testIntermediate(mesh.intermediate, { name: 'below', ttl: days(1) });
    const caCert = below.certificate.pem;
    const caKey = privateKeyPem(below.privateKey);
    expect(judge({ caCert, caKey, certChain: caCert + good.certChain })).toEqual(['caCert path-too-long']);
  });
});

test('advice is given, but is no refusal', async () => {
  expect(lint({ rootCert: good.rootCert.replaceAll('\n', '\r\n') })).toEqual(['rootCert unclean-pem']);
  expect(lint({ certChain: good.caCert + good.certChain })).toEqual(['certChain duplicate-certificate']);
  expect(judge({ rootCert: good.rootCert.trimEnd() })).toEqual([]);
  const ended = (await testRoot('ec-p256', days(1), testNow - days(9))).certificate.pem;
  expect(lint({ rootCert: good.rootCert + ended })).toEqual(['rootCert expired']);
  expect(judge({ rootCert: good.rootCert + ended })).toEqual([]);
});

test('a workload that the bundle issues verifies', async () => {
  const { publicKey } = await generateKeyPair('ec-p256');
  const leaf = await issueWorkload({
    issuer: mesh.intermediate,
    publicKey,
    spiffeId: 'spiffe://a/b',
    ttl: 1000,
    now: testNow,
  });
  expect(leaf.sans.uri).toEqual(['spiffe://a/b']);
});
