import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import { basicConstraints, extendedKeyUsage, keyUsage } from '../extensions.ts';
import { type Issuer, issue } from '../issuer.ts';

export interface ClientOptions {
  readonly issuer: Issuer;
  readonly publicKey: KeyObject;
  /** Kubernetes: the user. */
  readonly commonName: string;
  /** Kubernetes: the groups. */
  readonly organizations?: readonly string[];
  readonly ttl: number;
  readonly now: number;
}

/** A TLS client that Kubernetes knows by its subject. @throws MeshrootError `outlives-issuer` */
export function issueClient(options: ClientOptions): Promise<Certificate> {
  const { issuer, publicKey, commonName, organizations = [], ttl, now } = options;
  return issue({
    issuer,
    publicKey,
    subject: [...organizations.map((value) => ({ type: 'O', value })), { type: 'CN', value: commonName }],
    extensions: [
      keyUsage('digitalSignature', 'keyEncipherment'),
      extendedKeyUsage('clientAuth'),
      basicConstraints(false),
    ],
    ttl,
    now,
    beyondIssuer: 'refuse',
  });
}
