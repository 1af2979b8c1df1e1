import { MeshrootError } from '../lib/errors.ts';

/** Who a workload is: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. */
export interface SpiffeIdentity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Service-account identities are DNS labels or subdomains (Kubernetes names), so no slash, space or colon can hide here. */
const name = '[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?';
const pattern = new RegExp(`^spiffe://(${name})/ns/(${name})/sa/(${name})$`, 'i');

/** The URI of an identity. Istio writes `@` in a trust domain (of a Google account) as `.`. */
export function spiffeUri(identity: SpiffeIdentity): string {
  return `spiffe://${identity.trustDomain.replaceAll('@', '.')}/ns/${identity.namespace}/sa/${identity.serviceAccount}`;
}

/** The identity that `uri` names, or undefined when it is not Istio's form of a SPIFFE ID. */
export function parseSpiffeUri(uri: string): SpiffeIdentity | undefined {
  const [, trustDomain, namespace, serviceAccount] = pattern.exec(uri) ?? [];
  if (trustDomain === undefined || namespace === undefined || serviceAccount === undefined) return undefined;
  return { trustDomain, namespace, serviceAccount };
}

/**
 * Namespace and account of a Kubernetes user name `system:serviceaccount:<ns>:<sa>` (exactly four parts, as istiod
 * demands), or undefined for every other user.
 */
export function parseServiceAccountUser(user: string): Omit<SpiffeIdentity, 'trustDomain'> | undefined {
  const parts = user.split(':');
  const [system, kind, namespace, serviceAccount] = parts;
  if (parts.length !== 4 || system !== 'system' || kind !== 'serviceaccount') return undefined;
  if (!namespace || !serviceAccount) return undefined;
  return { namespace, serviceAccount };
}

/** A trust domain as given by a person; refused when it could not stand in a SPIFFE ID. */
export function checkTrustDomain(text: string): string {
  if (new RegExp(`^${name}$`, 'i').test(text.replaceAll('@', '.'))) return text;
  throw new MeshrootError('bad-trust-domain', `"${text}" is not a trust domain`, {
    hint: 'write for example cluster.local',
  });
}
