import type { Context, Route } from '../../core/backend.ts';
import { endLease } from '../../core/expire.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { nothingHere, refuse } from '../../core/refusal.ts';
import { renewLease } from '../../core/renew-lease.ts';
import type { Result } from '../../core/request.ts';
import { dropLeases, endLeases } from './end-leases.ts';

const fields = { lease_id: 'string', url_lease_id: 'string', increment: 'seconds', sync: 'bool' } as const;

export function leaseRoutes(): Route[] {
  return [
    { path: 'leases/lookup/*prefix', fields, sudo: true, operations: { list } },
    { path: 'leases/lookup', fields, operations: { update: lookup } },
    { path: 'leases/renew', fields, operations: { update: renew } },
    { path: 'leases/renew/*lease_id', fields, operations: { update: renew } },
    { path: 'leases/revoke', fields, operations: { update: revoke } },
    { path: 'leases/revoke/*lease_id', fields, operations: { update: revoke } },
    { path: 'leases/tidy', operations: { update: tidy } },
    { path: 'leases/revoke-prefix/*prefix', fields, sudo: true, operations: { update: revokePrefix } },
    { path: 'leases/revoke-force/*prefix', fields, sudo: true, operations: { update: revokeForce } },
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
      ttl: Math.floor((lease.expires - context.services.leases.now()) / 1000),
    },
  };
}

/** Names below a prefix, folders with a slash behind. */
function list({ services, fields: sent }: Context): Result {
  const prefix = textOf(sent, 'prefix').replace(/\/*$/, '/').replace(/^\/$/, '');
  const keys = services.leases.list(prefix);
  if (keys.length === 0) throw nothingHere();
  return { data: { keys } };
}

function renew(context: Context): Result {
  const lease = context.services.leases.get(leaseId(context), context.transaction);
  if (lease === undefined) throw refuse('lease not found', 400, 'no-lease');
  return renewLease(context, lease, numberOf(context.fields, 'increment'));
}

/** Upstream goes on behind the answer; here it is done already. */
const accepted = ({ fields: sent }: Context): Result | undefined =>
  sent.sync === false ? { status: 202, raw: { contentType: 'application/json', body: '' } } : undefined;

function revoke(context: Context): Result | undefined {
  const { services, transaction } = context;
  const lease = services.leases.get(leaseId(context), transaction);
  if (lease !== undefined) endLease(services, transaction, lease);
  return accepted(context);
}

function revokePrefix(context: Context): Result | undefined {
  endLeases(context, textOf(context.fields, 'prefix'));
  return accepted(context);
}

/** Also where the engine cannot end its secret: somebody says that it is ended elsewhere. */
function revokeForce(context: Context): Result | undefined {
  dropLeases(context, textOf(context.fields, 'prefix'));
  return accepted(context);
}

/** Leases and their tokens are written in one transaction, so that there is never anything to tidy. */
function tidy(): Result {
  const warnings = [
    'Tidy operation successfully started. Any information from the operation will be printed to the server logs.',
  ];
  return { status: 202, data: null, warnings };
}
