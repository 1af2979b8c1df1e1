import { identityPoliciesOf } from '../../core/authenticate.ts';
import type { Context } from '../../core/backend.ts';
import type { Fields, Schema } from '../../core/fields.ts';
import { entityOfToken } from '../../core/identity-store.ts';
import type { TokenEntry } from '../../core/token-entry.ts';

export const createSchema: Schema = {
  id: 'string',
  display_name: 'string',
  policies: 'list',
  meta: 'texts',
  // Read by lifetime.ts: what is no duration is refused without naming the field.
  ttl: 'any',
  lease: 'any',
  explicit_max_ttl: 'any',
  period: 'any',
  num_uses: 'int',
  renewable: 'bool',
  type: 'string',
  no_parent: 'bool',
  no_default_policy: 'bool',
  entity_alias: 'string',
};

/** What lookups show. @param shown the token itself, empty when asked by accessor */
export function tokenFields({ services, transaction }: Context, entry: TokenEntry, shown: string): Fields {
  const lease = entry.leaseId === '' ? undefined : services.leases.get(entry.leaseId, transaction);
  const expires = lease?.expires ?? entry.expires;
  const identity = identityPoliciesOf(
    transaction,
    entry.entityId === undefined ? undefined : entityOfToken(transaction, entry.entityId),
  );
  return {
    accessor: entry.accessor,
    creation_time: Math.floor(entry.created / 1000),
    creation_ttl: Math.floor(entry.ttl / 1000),
    display_name: entry.displayName,
    entity_id: entry.entityId ?? '',
    expire_time: expires === undefined ? null : new Date(expires).toISOString(),
    explicit_max_ttl: Math.floor(entry.explicitMaxTtl / 1000),
    id: shown,
    meta: entry.meta,
    num_uses: entry.numUses,
    orphan: entry.parent === '',
    path: entry.path,
    policies: entry.policies,
    ttl: expires === undefined ? 0 : Math.max(0, Math.floor((expires - services.leases.now()) / 1000)),
    type: entry.type ?? 'service',
    ...(entry.role === undefined || !entry.path.startsWith('auth/token/') ? {} : { role: entry.role }),
    ...(entry.period === 0 ? {} : { period: Math.floor(entry.period / 1000) }),
    ...(entry.boundCidrs.length === 0 ? {} : { bound_cidrs: entry.boundCidrs }),
    ...(identity.length === 0 ? {} : { identity_policies: identity }),
    ...(expires === undefined
      ? {}
      : { renewable: entry.renewable, issue_time: new Date(lease?.issued ?? entry.created).toISOString() }),
    ...(lease?.renewed === undefined
      ? {}
      : {
          last_renewal: new Date(lease.renewed).toISOString(),
          last_renewal_time: Math.floor(lease.renewed / 1000),
        }),
  };
}
