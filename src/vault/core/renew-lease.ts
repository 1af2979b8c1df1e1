import type { Context } from './backend.ts';
import type { Lease } from './lease.ts';
import { effectiveDefaultTtl, effectiveMaxTtl, viewPrefix } from './mount-entry.ts';
import { type Refusal, refuse } from './refusal.ts';
import { renewToken } from './renew-token.ts';
import type { Result } from './request.ts';
import { tokenTtl } from './ttl.ts';

const notRenewable = (): Refusal => refuse('lease is not renewable', 400, 'not-renewable');

/**
 * Extends a lease: a token's as the token itself, a secret's as its engine wants it, within the maxima of the mount.
 * @param increment seconds, 0 = as the engine or the mount likes
 * @throws Refusal 400
 */
export function renewLease(context: Context, lease: Lease, increment: number): Result {
  const { services, transaction } = context;
  if (lease.expires <= services.leases.now()) throw refuse('lease expired', 400, 'lease-expired');
  if (!lease.isToken) return renewSecret(context, lease, increment);
  const token = services.tokens.find(transaction, lease.tokenKey);
  if (token === undefined) throw notRenewable();
  const renewed = renewToken(context, token, increment, '');
  return { leaseId: lease.id, leaseDuration: renewed?.auth?.lease_duration ?? 0, renewable: true };
}

function renewSecret({ services, transaction, clock }: Context, lease: Lease, increment: number): Result {
  const mounted = services.router.find(lease.path);
  if (!lease.renewable || mounted === undefined) throw notRenewable();
  const { entry, backend } = mounted;
  const engine = backend.renewLease?.({ store: transaction.at(viewPrefix(entry)), clock }, lease);
  if (engine === undefined) throw notRenewable();
  const now = services.leases.now();
  const { ttl, warnings } = tokenTtl({
    requested: increment,
    roleTtl: engine.ttl,
    roleMaxTtl: engine.maxTtl,
    explicitMaxTtl: 0,
    period: 0,
    mountDefault: effectiveDefaultTtl(entry),
    mountMax: effectiveMaxTtl(entry),
    age: Math.floor((now - lease.issued) / 1000),
  });
  services.leases.put(transaction, { ...lease, expires: now + ttl * 1000, renewed: now });
  return {
    leaseId: lease.id,
    leaseDuration: ttl,
    renewable: true,
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}
