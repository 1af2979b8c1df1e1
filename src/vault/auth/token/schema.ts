import type { Context } from '../../core/backend.ts';
import type { Fields, Schema } from '../../core/fields.ts';
import type { TokenEntry } from '../../core/tokens.ts';

export const createSchema: Schema = {
  id: 'string',
  display_name: 'string',
  policies: 'list',
  meta: 'texts',
  ttl: 'seconds',
  lease: 'seconds',
  explicit_max_ttl: 'seconds',
  period: 'seconds',
  num_uses: 'int',
  renewable: 'bool',
  type: 'string',
  no_parent: 'bool',
  no_default_policy: 'bool',
};

/** What lookups show. @param shown the token itself, empty when asked by accessor */
export function tokenFields({ services, clock }: Context, entry: TokenEntry, shown: string): Fields {
  const lease = entry.leaseId === '' ? undefined : services.leases.get(entry.leaseId);
  const now = clock.now();
  return {
    accessor: entry.accessor,
    creation_time: Math.floor(entry.created / 1000),
    creation_ttl: Math.floor(entry.ttl / 1000),
    display_name: entry.displayName,
    entity_id: '',
    expire_time: lease === undefined ? null : new Date(lease.expires).toISOString(),
    explicit_max_ttl: Math.floor(entry.explicitMaxTtl / 1000),
    id: shown,
    meta: entry.meta,
    num_uses: entry.numUses,
    orphan: entry.parent === '',
    path: entry.path,
    policies: entry.policies,
    ttl: lease === undefined ? 0 : Math.max(0, Math.floor((lease.expires - now) / 1000)),
    type: 'service',
    ...(entry.role === undefined ? {} : { role: entry.role }),
    ...(entry.period === 0 ? {} : { period: Math.floor(entry.period / 1000) }),
    ...(entry.boundCidrs.length === 0 ? {} : { bound_cidrs: entry.boundCidrs }),
    ...(lease === undefined
      ? {}
      : { renewable: entry.renewable, issue_time: new Date(lease.issued).toISOString() }),
    ...(lease?.renewed === undefined
      ? {}
      : {
          last_renewal: new Date(lease.renewed).toISOString(),
          last_renewal_time: Math.floor(lease.renewed / 1000),
        }),
  };
}
