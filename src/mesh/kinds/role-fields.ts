import { isRecord } from '../../lib/records.ts';
import type { MeshCluster } from '../schema.ts';

export type RoleFacts = Readonly<Record<string, string>>;

export interface WantedRole {
  readonly role: string;
  /** More than one: the service account of that name in each of them. */
  readonly namespaces: readonly string[];
  readonly serviceAccount: string;
  readonly policy: string;
}

const list = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).sort().join(',') : String(value ?? '');

/** What is written for a role: of a Kubernetes login, or of a JWT login with the claims of a service account token. */
export function roleFields(
  { reviewer, audience }: MeshCluster,
  { namespaces, serviceAccount, policy }: WantedRole,
  ttl: string,
): Record<string, unknown> {
  const common = { token_policies: [policy], token_ttl: ttl };
  if (reviewer !== 'jwks') {
    return {
      ...common,
      bound_service_account_names: [serviceAccount],
      bound_service_account_namespaces: namespaces,
      audience,
    };
  }
  return {
    ...common,
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: [audience],
    bound_claims: {
      sub: namespaces.map((namespace) => `system:serviceaccount:${namespace}:${serviceAccount}`),
    },
  };
}

/** A role as it was read, in the words of a plan. */
export function roleFacts(data: unknown): RoleFacts | undefined {
  if (!isRecord(data)) return undefined;
  const common = { policies: list(data.token_policies), ttl: list(data.token_ttl) };
  if (data.role_type === undefined) {
    return {
      'service account': list(data.bound_service_account_names),
      namespace: list(data.bound_service_account_namespaces),
      audience: list(data.audience),
      ...common,
    };
  }
  const claims = isRecord(data.bound_claims) ? data.bound_claims : {};
  return { subject: list(claims.sub), audience: list(data.bound_audiences), ...common };
}
