import { generateKeyPair, privateKeyPem } from '../x509/keys.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import { createRoot } from '../x509/templates/root.ts';

export type KvBundle = Readonly<Record<'ca_key' | 'ca_cert' | 'root_cert' | 'cert_chain', string>>;

const day = 86_400_000;

/** A maker of bundles below one fresh root, as KV entries of the seed; for tests. */
export async function testBundles(now: number): Promise<(ttlDays?: number) => Promise<KvBundle>> {
  const rootKey = await generateKeyPair('ec-p256');
  const root = await createRoot({ key: rootKey, ttl: 3650 * day, now: now - 200 * day });
  return async (ttlDays = 90) => {
    const key = await generateKeyPair('ec-p256');
    const certificate = await issueIntermediate({
      issuer: { certificate: root, privateKey: rootKey.privateKey },
      publicKey: key.publicKey,
      name: 'cluster1',
      ttl: Math.abs(ttlDays) * day,
      now: ttlDays < 0 ? now - 2 * Math.abs(ttlDays) * day : now,
    });
    return {
      ca_key: privateKeyPem(key.privateKey).reveal(),
      ca_cert: certificate.pem,
      root_cert: root.pem,
      cert_chain: certificate.pem + root.pem,
    };
  };
}
