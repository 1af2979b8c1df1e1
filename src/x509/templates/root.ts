import type { Certificate } from '../certificate.ts';
import { basicConstraints, keyUsage, subjectKeyId } from '../extensions.ts';
import { encodeAndSign } from '../issuer.ts';
import { keyIdOf } from '../key-id.ts';
import type { KeyPair } from '../keys.ts';
import { encodeName, type Name } from '../name.ts';
import type { KeyUsage } from '../oids.ts';
import { algorithmForKey } from '../signature.ts';

/** Key usage of CAs made by Istio's tools/certs. No cRLSign: a CRL of such a CA is refused by istiod. */
export const caKeyUsage: readonly KeyUsage[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'keyCertSign',
];

export const rootSubject: Name = [
  { type: 'O', value: 'Istio' },
  { type: 'CN', value: 'Root CA' },
];

export interface RootOptions {
  readonly key: KeyPair;
  readonly subject?: Name;
  /** How long it is good for, in ms from `now`. */
  readonly ttl: number;
  readonly now: number;
  /** Also allow the signing of CRLs. */
  readonly crlSign?: boolean;
}

/** A self-signed root as `make root-ca` of Istio's tools/certs writes it: CA without a path length. */
export function createRoot({
  key,
  subject = rootSubject,
  ttl,
  now,
  crlSign,
}: RootOptions): Promise<Certificate> {
  return encodeAndSign({
    issuerName: encodeName(subject),
    subject,
    publicKey: key.publicKey,
    extensions: [
      subjectKeyId(keyIdOf(key.publicKey)),
      basicConstraints(true),
      keyUsage(...caKeyUsage, ...(crlSign === true ? (['cRLSign'] as const) : [])),
    ],
    algorithm: algorithmForKey(key.privateKey),
    signingKey: key.privateKey,
    now,
    notAfter: now + ttl,
  });
}
