import type { Context } from '../../core/backend.ts';
import { deleteLease, type Lease } from '../../core/leases.ts';

/** Ends a token with what hangs on it, or a lease, in the transaction of the call. */
export function endLease({ services, transaction }: Context, lease: Lease): void {
  if (lease.isToken) services.tokens.revoke(transaction, lease.tokenKey);
  else deleteLease(transaction, services.leases, lease.id);
}

/** Likewise for all of them below `prefix`. */
export function endLeases(context: Context, prefix: string): void {
  for (const id of [...context.services.leases.ids()]) {
    const lease = id.startsWith(prefix) ? context.services.leases.get(id) : undefined;
    if (lease !== undefined) endLease(context, lease);
  }
}
