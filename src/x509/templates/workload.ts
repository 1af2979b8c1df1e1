import type { SubjectAltNames } from '../alt-names.ts';
import type { Certificate } from '../certificate.ts';
import { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName } from '../extensions.ts';
import { issue, type SigningIssuer, type SubjectKey } from '../issuer.ts';

export interface WorkloadOptions {
  readonly issuer: SigningIssuer;
  readonly publicKey: SubjectKey;
  /** One SPIFFE identity, or all names of a caller that authenticated with a certificate. */
  readonly spiffeId?: string;
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
  readonly ttl: number;
  readonly now: number;
  /** Only for a request that carried a common name. */
  readonly commonName?: string;
}

/** The same in every leaf, so encoded once. The order is that of Go's x509.CreateCertificate, as istiod's is. */
const leafExtensions = [
  keyUsage('digitalSignature', 'keyEncipherment'),
  extendedKeyUsage('serverAuth', 'clientAuth'),
  basicConstraints(false),
];

/** A workload certificate exactly as istiod issues it; never outlives its issuer (clamped). */
export function issueWorkload(options: WorkloadOptions): Promise<Certificate> {
  const { spiffeId, uris = [], dns = [], commonName } = options;
  return issueIstioLeaf(
    options,
    { dns, uri: spiffeId === undefined ? uris : [spiffeId, ...uris] },
    commonName,
  );
}

/** Shared by the two kinds of leaf that istiod issues: for workloads and for itself. */
export function issueIstioLeaf(
  { issuer, publicKey, ttl, now }: Pick<WorkloadOptions, 'issuer' | 'publicKey' | 'ttl' | 'now'>,
  sans: Partial<SubjectAltNames>,
  commonName?: string,
): Promise<Certificate> {
  return issue({
    issuer,
    publicKey,
    subject: commonName === undefined ? [] : [{ type: 'CN', value: commonName }],
    extensions: [...leafExtensions, subjectAltName(sans, true)],
    authorityKeyAt: leafExtensions.length,
    ttl,
    now,
    beyondIssuer: 'clamp',
  });
}
