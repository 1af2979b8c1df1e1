import { identityPoliciesOf } from './authenticate.ts';
import type { Backend, Context, Renewal } from './backend.ts';
import { entityOfToken } from './identity-store.ts';
import type { Lease } from './lease.ts';
import { putLease } from './leases.ts';
import { effectiveDefaultTtl, effectiveMaxTtl } from './mount-entry.ts';
import { type Refusal, refuse, refuseWrapped } from './refusal.ts';
import type { Result } from './request.ts';
import type { StorageView } from './storage.ts';
import type { TokenEntry } from './token-entry.ts';
import { authResult } from './tokens.ts';
import { tokenTtl } from './ttl.ts';

/**
 * Extends a token's lease: by `increment` seconds if given, within the maxima of mount and role as they are now.
 * @param shown the clear token if the caller presented it, else empty (accessors do not reveal it)
 */
export function renewToken(
  context: Context,
  entry: TokenEntry,
  increment: number,
  shown: string,
): Result | undefined {
  const { services, transaction } = context;
  const lease = entry.leaseId === '' ? undefined : services.leases.get(entry.leaseId, transaction);
  if (lease === undefined) throw refuse('invalid lease ID', 400, 'not-leased');
  const ttl = extend(context, entry, lease, increment);
  if (ttl === undefined) return undefined;
  const now = services.leases.now();
  putLease(transaction, services.leases, { ...lease, expires: now + ttl.ttl * 1000, renewed: now });
  const entity = entry.entityId === undefined ? undefined : entityOfToken(transaction, entry.entityId);
  const auth = authResult(entry, shown, ttl.ttl * 1000, identityPoliciesOf(transaction, entity));
  const result: Result = { auth };
  return ttl.warnings.length === 0 ? result : { ...result, warnings: ttl.warnings };
}

function extend(
  { services, transaction, clock, request }: Context,
  entry: TokenEntry,
  lease: Lease,
  increment: number,
): { readonly ttl: number; readonly warnings: readonly string[] } | undefined {
  if (!entry.renewable) throw refuse('lease is not renewable', 400, 'not-renewable');
  const mounted = services.router.find(entry.path);
  if (mounted === undefined) throw refuse('lease not found', 400, 'no-lease');
  const store = transaction.at(`auth/${mounted.entry.uuid}/`);
  const { renew } = mounted.backend;
  const role =
    entry.role === undefined ? undefined : renewRole(renew, store, { entry, request, now: clock.now() });
  if (role === 'nothing') return undefined;
  return tokenTtl({
    requested: increment,
    roleTtl: role?.ttl ?? entry.ttl / 1000,
    roleMaxTtl: role?.maxTtl ?? 0,
    explicitMaxTtl: role?.explicitMaxTtl ?? entry.explicitMaxTtl / 1000,
    period: role?.period ?? entry.period / 1000,
    mountDefault: effectiveDefaultTtl(mounted.entry),
    mountMax: effectiveMaxTtl(mounted.entry),
    age: Math.floor((services.leases.now() - lease.issued) / 1000),
  });
}

function renewRole(
  renew: Backend['renew'],
  store: StorageView,
  renewal: Renewal,
): ReturnType<NonNullable<Backend['renew']>> {
  const { role } = renewal.entry;
  if (renew === undefined || role === undefined) return undefined;
  const found = renew(store, role, renewal);
  if (found !== undefined) return found;
  throw renewalRefused(`role ${role} does not exist during renewal`, 'role-gone');
}

/** A method that will not extend a token any more: 500 in the core's words. */
export const renewalRefused = (reason: string, code: string): Refusal =>
  refuseWrapped(`failed to renew entry: ${reason}`, 500, code);
