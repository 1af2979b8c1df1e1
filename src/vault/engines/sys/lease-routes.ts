import type { Context, Route } from '../../core/backend.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { nothingHere, refuse } from '../../core/refusal.ts';
import { renewToken } from '../../core/renew-token.ts';
import type { Result } from '../../core/request.ts';
import { endLease, endLeases } from './end-leases.ts';

const fields = { lease_id: 'string', url_lease_id: 'string', increment: 'seconds', sync: 'bool' } as const;

export function leaseRoutes(): Route[] {
  return [
    { path: 'leases/lookup', fields, operations: { update: lookup } },
    { path: 'leases/lookup/*prefix', fields, sudo: true, operations: { list } },
    { path: 'leases/renew', fields, operations: { update: renew } },
    { path: 'leases/renew/*lease_id', fields, operations: { update: renew } },
    { path: 'leases/revoke', fields, operations: { update: revoke } },
    { path: 'leases/revoke/*lease_id', fields, operations: { update: revoke } },
    { path: 'leases/tidy', operations: { update: tidy } },
    { path: 'leases/revoke-prefix/*prefix', fields, sudo: true, operations: { update: revokePrefix } },
    { path: 'leases/revoke-force/*prefix', fields, sudo: true, operations: { update: revokePrefix } },
  ];
}

function leaseId({ fields: sent }: Context): string {
  const id = textOf(sent, 'lease_id');
  if (id === '') throw refuse('lease_id must be specified');
  return id;
}

function lookup(context: Context): Result {
  const lease = context.services.leases.get(leaseId(context));
  if (lease === undefined) throw refuse('invalid lease', 400, 'no-lease');
  return {
    data: {
      id: lease.id,
      path: lease.path,
      issue_time: new Date(lease.issued).toISOString(),
      expire_time: new Date(lease.expires).toISOString(),
      last_renewal: lease.renewed === undefined ? null : new Date(lease.renewed).toISOString(),
      renewable: lease.renewable,
      ttl: Math.floor((lease.expires - context.clock.now()) / 1000),
    },
  };
}

/** Names below a prefix, folders with a slash behind. */
function list({ services, fields: sent }: Context): Result {
  const prefix = textOf(sent, 'prefix').replace(/\/*$/, '/').replace(/^\/$/, '');
  const names = new Set<string>();
  for (const id of services.leases.ids()) {
    if (!id.startsWith(prefix)) continue;
    const rest = id.slice(prefix.length);
    const slash = rest.indexOf('/');
    names.add(slash === -1 ? rest : rest.slice(0, slash + 1));
  }
  if (names.size === 0) throw nothingHere();
  return { data: { keys: [...names].sort() } };
}

function renew(context: Context): Result {
  const { services, transaction, clock, fields: sent } = context;
  const lease = services.leases.get(leaseId(context));
  if (lease === undefined) throw refuse('lease not found', 400, 'no-lease');
  if (lease.expires <= clock.now()) throw refuse('lease expired', 400, 'lease-expired');
  const token = lease.isToken ? services.tokens.find(transaction, lease.tokenKey) : undefined;
  if (token === undefined) throw refuse('lease is not renewable', 400, 'not-renewable');
  const renewed = renewToken(context, token, numberOf(sent, 'increment'), '');
  return { leaseId: lease.id, leaseDuration: renewed?.auth?.lease_duration ?? 0, renewable: true };
}

function revoke(context: Context): Result | undefined {
  const lease = context.services.leases.get(leaseId(context));
  if (lease !== undefined) endLease(context, lease);
  return context.fields.sync === false ? { status: 202, data: null } : undefined;
}

function revokePrefix(context: Context): Result | undefined {
  endLeases(context, textOf(context.fields, 'prefix'));
  return context.fields.sync === false ? { status: 202, data: null } : undefined;
}

/** Leases and their tokens are written in one transaction, so that there is never anything to tidy. */
function tidy(): Result {
  const warnings = [
    'Tidy operation successfully started. Any information from the operation will be printed to the server logs.',
  ];
  return { status: 202, data: null, warnings };
}
