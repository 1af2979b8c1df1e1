import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseCertificate } from '../x509/certificate.ts';
import { trustSet } from './ca-signer.ts';
import { spiffeBundle } from './ca-trust-bundle.ts';
import { testBundle, testRoot } from './test-mesh.ts';

test('the trust bundle names each root with its key and certificate', async () => {
  const root = await testRoot();
  const other = await testRoot('Root B');
  const files = await testBundle(root, { rootPem: root.certificate.pem + other.certificate.pem });
  const trust = trustSet({
    caCert: files['ca-cert.pem'],
    certChain: files['cert-chain.pem'],
    rootCert: files['root-cert.pem'],
  });
  const bundle = JSON.parse(JSON.stringify(spiffeBundle(trust, 7)));
  expect(bundle).toMatchObject({ spiffe_sequence: 7, spiffe_refresh_hint: 300 });
  expect(bundle.keys.map(({ use, kty, crv }: Record<string, string>) => [use, kty, crv])).toEqual([
    ['x509-svid', 'EC', 'P-256'],
    ['x509-svid', 'EC', 'P-256'],
  ]);
  for (const [i, one] of [root, other].entries()) {
    const key = bundle.keys[i] as JsonWebKey & { x5c: string[] };
    expect(parseCertificate(Buffer.from(key.x5c[0]!, 'base64')).fingerprint).toBe(
      one.certificate.fingerprint,
    );
    expect(createPublicKey({ key, format: 'jwk' }).equals(one.certificate.publicKey)).toBe(true);
  }
});
