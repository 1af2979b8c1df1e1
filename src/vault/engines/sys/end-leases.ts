import type { Context } from '../../core/backend.ts';
import { endLease } from '../../core/expire.ts';
import type { Lease } from '../../core/lease.ts';

/**
 * Ends all leases below `prefix`, in the transaction of the call: tokens with what hangs on them, secrets by their engine.
 * @throws whatever an engine says when it cannot end a secret
 */
export function endLeases(context: Context, prefix: string): void {
  const { services, transaction } = context;
  eachLease(context, prefix, (lease) => endLease(services, transaction, lease));
}

/** Likewise, without asking the engines. */
export function dropLeases(context: Context, prefix: string): void {
  const { services, transaction } = context;
  eachLease(context, prefix, (lease) => {
    if (lease.isToken) services.tokens.revoke(transaction, lease.tokenKey);
    else services.leases.delete(transaction, lease.id);
  });
}

/** Looked up one by one: the end of a token takes others with it. */
function eachLease({ services, transaction }: Context, prefix: string, work: (lease: Lease) => void): void {
  for (const id of services.leases.ids(prefix)) {
    const lease = services.leases.get(id, transaction);
    if (lease !== undefined) work(lease);
  }
}
