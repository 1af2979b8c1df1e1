import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName } from '../extensions.ts';
import { type Issuer, issue } from '../issuer.ts';

export interface ServingOptions {
  readonly issuer: Issuer;
  readonly publicKey: KeyObject;
  readonly dns: readonly string[];
  readonly ips?: readonly string[];
  readonly ttl: number;
  readonly now: number;
  readonly commonName?: string;
}

/**
 * A TLS server that is not part of the mesh: API servers, webhooks, the store.
 * @throws MeshrootError `outlives-issuer`
 */
export function issueServing(options: ServingOptions): Promise<Certificate> {
  const { issuer, publicKey, dns, ips = [], ttl, now, commonName } = options;
  return issue({
    issuer,
    publicKey,
    subject: commonName === undefined ? [] : [{ type: 'CN', value: commonName }],
    extensions: [
      keyUsage('digitalSignature', 'keyEncipherment'),
      extendedKeyUsage('serverAuth'),
      basicConstraints(false),
      subjectAltName({ dns, ip: ips }, commonName === undefined), // RFC 5280 4.2.1.6: critical without a subject
    ],
    ttl,
    now,
    beyondIssuer: 'refuse',
  });
}
