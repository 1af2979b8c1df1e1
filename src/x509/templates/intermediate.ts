import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../certificate.ts';
import { basicConstraints, keyUsage, subjectAltName, subjectKeyId } from '../extensions.ts';
import { type Issuer, issue } from '../issuer.ts';
import { keyIdOf } from '../key-id.ts';
import type { Name } from '../name.ts';
import { caKeyUsage } from './root.ts';

/** The name under which every istiod serves, in the certificate of its CA by tradition of tools/certs. */
export const istiodDns: readonly string[] = ['istiod.istio-system.svc'];

export interface IntermediateOptions {
  readonly issuer: Issuer;
  readonly publicKey: KeyObject;
  /** `L=`: the cluster; the only part in which the intermediates of a mesh differ. */
  readonly name: string;
  readonly ttl: number;
  readonly now: number;
  readonly dns?: readonly string[];
  readonly crlSign?: boolean;
}

export const intermediateSubject = (name: string): Name => [
  { type: 'O', value: 'Istio' },
  { type: 'CN', value: 'Intermediate CA' },
  { type: 'L', value: name },
];

/**
 * A cluster's CA as `make NAME-cacerts` of Istio's tools/certs writes it: path length 0.
 * @throws MeshrootError `outlives-issuer` rather than being cut short unseen
 */
export function issueIntermediate(options: IntermediateOptions): Promise<Certificate> {
  const { issuer, publicKey, name, ttl, now, dns = istiodDns, crlSign } = options;
  return issue({
    issuer,
    publicKey,
    subject: intermediateSubject(name),
    extensions: [
      subjectKeyId(keyIdOf(publicKey)),
      basicConstraints(true, 0),
      keyUsage(...caKeyUsage, ...(crlSign === true ? (['cRLSign'] as const) : [])),
      ...(dns.length === 0 ? [] : [subjectAltName({ dns }, false)]),
    ],
    ttl,
    now,
    beyondIssuer: 'refuse',
    what: 'the intermediate',
  });
}
