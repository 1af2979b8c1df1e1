import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { days, hours, minutes } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isSignedBy, parseCertificate, parseCertificates } from './certificate.ts';
import { keyMatches } from './keys.ts';
import { nameText } from './name.ts';
import { toPem } from './pem.ts';
import { type TestMesh, testMesh, testNow, testSpiffeId } from './test-ca.ts';
import { oracle } from './test-oracle.ts';

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await testMesh();
});

describe('a certificate of ours', () => {
  test('is read back by us with the fields that its profile says', () => {
    const leaf = parseCertificate(mesh.leaf.certificate.pem);
    expect(leaf.subject).toEqual([]);
    expect(nameText(leaf.issuer)).toBe('CN=Intermediate CA,O=Istio,L=cluster1');
    expect(leaf.sans).toEqual({ dns: [], uri: [testSpiffeId], ip: [], email: [] });
    expect([...(leaf.keyUsage ?? [])]).toEqual(['digitalSignature', 'keyEncipherment']);
    expect(leaf.extendedKeyUsage).toEqual(['serverAuth', 'clientAuth']);
    expect(leaf.isCa).toBe(false);
    expect(leaf.subjectKeyId).toBeUndefined();
    expect(leaf.authorityKeyId).toBe(mesh.intermediate.certificate.subjectKeyId);
    expect(leaf.notBefore).toBe(testNow - minutes(2));
    expect(leaf.notAfter).toBe(testNow + hours(24));
    expect(leaf.signatureAlgorithm).toBe('ECDSA-SHA256');
    expect(leaf.serial).toMatch(/^[0-9a-f]{2,32}$/);
  });

  test('is read by the oracle with the same fields', () => {
    for (const ours of [mesh.root.certificate, mesh.intermediate.certificate, mesh.leaf.certificate]) {
      const theirs = new oracle.X509Certificate(ours.pem);
      expect(theirs.serialNumber).toBe(ours.serial);
      expect(theirs.notBefore.getTime()).toBe(ours.notBefore);
      expect(theirs.notAfter.getTime()).toBe(ours.notAfter);
      const constraints = theirs.getExtension(oracle.BasicConstraintsExtension);
      expect([constraints?.critical, constraints?.ca, constraints?.pathLength]).toEqual([
        true,
        ours.isCa,
        ours.pathLength,
      ]);
      expect(theirs.getExtension(oracle.KeyUsagesExtension)?.critical).toBe(true);
      const node = new X509Certificate(ours.pem);
      expect(node.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(ours.fingerprint);
    }
    const theirs = new oracle.X509Certificate(mesh.leaf.certificate.pem);
    const names = theirs.getExtension(oracle.SubjectAlternativeNameExtension);
    expect([names?.critical, names?.names.toJSON()]).toEqual([true, [{ type: 'url', value: testSpiffeId }]]);
  });

  test('is signed by its issuer and by no other', () => {
    const { root, intermediate, leaf } = mesh;
    expect(isSignedBy(leaf.certificate, intermediate.certificate)).toBe(true);
    expect(isSignedBy(intermediate.certificate, root.certificate)).toBe(true);
    expect(isSignedBy(leaf.certificate, root.certificate)).toBe(false);
    expect(keyMatches(leaf.certificate, leaf.key.privateKey)).toBe(true);
    expect(keyMatches(leaf.certificate, root.privateKey)).toBe(false);
  });
});

test('a certificate of the oracle is read by us', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const theirs = await oracle.X509CertificateGenerator.createSelfSigned({
    serialNumber: '0102ff',
    name: 'CN=Someone, O=Else',
    notBefore: new Date(testNow),
    notAfter: new Date(testNow + days(1)),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new oracle.BasicConstraintsExtension(true, 2, true),
      new oracle.KeyUsagesExtension(oracle.KeyUsageFlags.keyCertSign | oracle.KeyUsageFlags.cRLSign, true),
      new oracle.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'a.example' },
        { type: 'ip', value: '10.0.0.1' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'email', value: 'a@example' },
      ]),
    ],
  });
  const ours = parseCertificate(Buffer.from(theirs.rawData));
  expect(ours).toMatchObject({
    serial: '0102ff',
    isCa: true,
    pathLength: 2,
    signatureAlgorithm: 'ECDSA-SHA384',
  });
  expect(nameText(ours.subject)).toBe('CN=Someone,O=Else');
  expect(ours.sans).toEqual({
    dns: ['a.example'],
    uri: [],
    ip: ['10.0.0.1', '2001:db8::1'],
    email: ['a@example'],
  });
  expect([...(ours.keyUsage ?? [])]).toEqual(['keyCertSign', 'cRLSign']);
  expect(isSignedBy(ours, ours)).toBe(true);
});

describe('what is not a certificate', () => {
  test.each([
    ['', 'not a certificate: there is no CERTIFICATE block'],
    [toPem('CERTIFICATE', Buffer.from('3000', 'hex')), 'not a certificate: the signed part is missing'],
    [toPem('PRIVATE KEY', Buffer.alloc(3)), 'not a certificate: there is no CERTIFICATE block'],
  ])('is refused: %j', (text, message) => {
    expect(() => parseCertificate(text)).toThrow(
      expect.objectContaining({ code: 'bad-certificate', message }),
    );
  });

  test('bytes after the end are refused', () => {
    const der = Buffer.concat([mesh.leaf.certificate.der, Buffer.alloc(1)]);
    expect(() => parseCertificate(der)).toThrow('not a certificate: the certificate has bytes after its end');
  });

  test('a text without certificates is an empty list', () => {
    expect(parseCertificates('hello')).toEqual([]);
  });

  test('arbitrary and mutated bytes only ever give a MeshrootError', () => {
    const valid = mesh.leaf.certificate.der;
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const cut = fc.nat(valid.length).map((n) => valid.subarray(0, n));
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          cut,
          fc.uint8Array().map((b) => Buffer.from(b)),
        ),
        (bytes) => {
          try {
            const certificate = parseCertificate(bytes);
            isSignedBy(certificate, mesh.intermediate.certificate);
            nameText(certificate.subject);
          } catch (error) {
            expect(error).toBeInstanceOf(MeshrootError);
            expect((error as MeshrootError).code).toBe('bad-certificate');
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});

test('the certificates that the seed published are read, with the days on which they ended', () => {
  const folder = new URL('../../test/fixtures/seed-bundle/istiod-cluster1/', import.meta.url);
  const chain = parseCertificates(readFileSync(new URL('cert-chain.pem', folder), 'utf8'));
  expect(chain.map(({ subject }) => nameText(subject))).toEqual([
    'CN=Intermediate CA,O=Istio,L=istiod-cluster1',
    'CN=Root CA,O=Istio',
  ]);
  expect(chain.map(({ notAfter }) => new Date(notAfter).toISOString())).toEqual([
    '2024-11-16T22:01:54.000Z',
    '2032-11-14T22:01:52.000Z',
  ]);
  expect(chain[0]).toMatchObject({
    serial: 'dedf298a147681d6',
    pathLength: 0,
    signatureAlgorithm: 'SHA256-RSA',
  });
  expect(isSignedBy(chain[0]!, chain[1]!)).toBe(true);
});
