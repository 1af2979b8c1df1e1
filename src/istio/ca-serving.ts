import { days } from '../lib/duration.ts';
import type { Certificate } from '../x509/certificate.ts';
import { generateKeyPair, type KeyType, privateKeyPem } from '../x509/keys.ts';
import type { Issued, Signer, TrustSet } from './ca-signer.ts';

/** What the listener shows to clients, and whom it believes. */
export interface ServingMaterial {
  /** Leaf and intermediates, as PEM. */
  readonly certificateChain: string;
  readonly privateKey: string;
  readonly clientRoots: string;
  readonly certificate: Certificate;
  readonly trust: TrustSet;
  readonly issued: Issued;
}

export interface ServingNames {
  readonly namespace: string;
  readonly revision: string;
  /** ISTIOD_CUSTOM_HOST: more names, comma separated. */
  readonly customHosts: string;
}

/** istiod asks ten years for itself; the signer shortens it to its own end. */
const wantedTtl = days(3650);

/** The DNS names that clients of istiod check, sorted, as istiod logs them. */
export function servingNames({ namespace, revision, customHosts }: ServingNames): readonly string[] {
  const services = ['istiod', 'istiod-remote', 'istio-pilot'];
  if (revision !== '' && revision !== 'default') services.push(`istiod-${revision}`);
  const custom = customHosts.split(',').map((host) => host.trim());
  return [
    ...new Set([...custom.filter((host) => host !== ''), ...services.map((s) => `${s}.${namespace}.svc`)]),
  ].sort();
}

/** A fresh key and certificate for the listener, signed by the CA itself. */
export async function servingMaterial(
  signer: Signer,
  dns: readonly string[],
  now: number,
): Promise<ServingMaterial> {
  const key = await generateKeyPair(keyTypeLike(signer.trust().certificate));
  const issued = await signer.signServing({ key, dns, ttl: wantedTtl, now });
  const { leaf, trust } = issued;
  return {
    certificateChain: [leaf, ...trust.chain].map((certificate) => certificate.pem).join(''),
    privateKey: privateKeyPem(key.privateKey).reveal(),
    clientRoots: trust.rootPem,
    certificate: leaf,
    trust,
    issued,
  };
}

/** istiod's rule: an EC key under an EC CA (P-256 or P-384), RSA-2048 under any other. */
function keyTypeLike(ca: Certificate): KeyType {
  const { asymmetricKeyType, asymmetricKeyDetails } = ca.publicKey;
  if (asymmetricKeyType !== 'ec') return 'rsa-2048';
  return asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ec-p384' : 'ec-p256';
}
