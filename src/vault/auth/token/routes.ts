import { type Backend, type Context, defineBackend, type Route } from '../../core/backend.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { multiError, refuse, refuseWrapped } from '../../core/refusal.ts';
import { renewToken } from '../../core/renew-token.ts';
import type { Result } from '../../core/request.ts';
import type { TokenEntry } from '../../core/tokens.ts';
import { createToken } from './create.ts';
import { createSchema, tokenFields } from './schema.ts';

const byToken = { token: 'string', increment: 'seconds' } as const;
const byAccessor = { accessor: 'string', increment: 'seconds' } as const;

/** The method every store has: tokens that make, show, extend and end tokens. */
export function createTokenAuth(): Backend {
  return defineBackend({
    type: 'token',
    routes: [
      {
        path: 'create',
        fields: createSchema,
        operations: { update: (context) => createToken(context, false) },
      },
      {
        path: 'create-orphan',
        fields: createSchema,
        operations: { update: (context) => createToken(context, true) },
      },
      { path: 'lookup-self', operations: { read: lookupSelf, update: lookupSelf } },
      { path: 'lookup', fields: byToken, operations: { read: lookup, update: lookup } },
      { path: 'lookup-accessor', fields: byAccessor, operations: { update: lookupAccessor } },
      { path: 'renew-self', fields: byToken, operations: { update: renewSelf } },
      { path: 'renew', fields: byToken, operations: { update: renew } },
      { path: 'renew-accessor', fields: byAccessor, operations: { update: renewAccessor } },
      { path: 'revoke-self', operations: { update: revokeSelf } },
      { path: 'revoke', fields: byToken, operations: { update: revoke } },
      { path: 'revoke-accessor', fields: byAccessor, operations: { update: revokeAccessor } },
      { path: 'revoke-orphan', fields: byToken, sudo: true, operations: { update: revokeOrphan } },
      accessorsRoute,
    ],
  });
}

const accessorsRoute: Route = {
  path: 'accessors',
  sudo: true,
  operations: {
    list: ({ services, transaction }) => ({ data: { keys: services.tokens.accessors(transaction).sort() } }),
  },
};

function lookupSelf(context: Context): Result | undefined {
  const { auth } = context;
  return auth === undefined ? undefined : { data: tokenFields(context, auth.token, auth.clientToken) };
}

function lookup(context: Context): Result {
  const token = textOf(context.fields, 'token', context.auth?.clientToken);
  const entry = find(context, token);
  if (entry === undefined) throw refuse('bad token', 403, 'token-unknown');
  return { data: tokenFields(context, entry, token) };
}

function lookupAccessor(context: Context): Result {
  return { data: tokenFields(context, entryOfAccessor(context), '') };
}

function renewSelf(context: Context): Result | undefined {
  const { auth, fields } = context;
  return auth && renewToken(context, auth.token, numberOf(fields, 'increment'), auth.clientToken);
}

function renew(context: Context): Result {
  const token = textOf(context.fields, 'token');
  const entry = find(context, token);
  if (entry === undefined) throw refuse('token not found', 400, 'token-unknown');
  return renewToken(context, entry, numberOf(context.fields, 'increment'), token);
}

function renewAccessor(context: Context): Result {
  return renewToken(context, entryOfAccessor(context), numberOf(context.fields, 'increment'), '');
}

function revokeSelf({ services, transaction, auth }: Context): undefined {
  if (auth !== undefined) services.tokens.revoke(transaction, auth.token.key);
}

function revoke(context: Context): undefined {
  const token = textOf(context.fields, 'token');
  if (token === '') throw refuse('missing token ID');
  const entry = find(context, token);
  if (entry !== undefined) context.services.tokens.revoke(context.transaction, entry.key);
}

function revokeAccessor(context: Context): Result | undefined {
  const { services, transaction, fields } = context;
  const accessor = textOf(fields, 'accessor');
  if (accessor === '') throw refuse(multiError('missing accessor'));
  const entry = services.tokens.findByAccessor(transaction, accessor);
  if (entry === undefined) return { warnings: ['No token found with this accessor'] };
  services.tokens.revoke(transaction, entry.key);
  return undefined;
}

function revokeOrphan(context: Context): undefined {
  const token = textOf(context.fields, 'token');
  if (token === '') throw refuse('missing token ID');
  const entry = find(context, token);
  if (entry === undefined) throw refuse('token to revoke not found', 400, 'token-unknown');
  context.services.tokens.revokeOrphaning(context.transaction, entry.key);
}

function find({ services, transaction, clock }: Context, token: string): TokenEntry | undefined {
  const entry = token === '' ? undefined : services.tokens.find(transaction, services.tokens.keyOf(token));
  if (entry === undefined || entry.leaseId === '') return entry;
  const lease = services.leases.get(entry.leaseId);
  return lease !== undefined && lease.expires > clock.now() ? entry : undefined;
}

function entryOfAccessor({ services, transaction, fields }: Context): TokenEntry {
  const accessor = textOf(fields, 'accessor');
  if (accessor === '') throw refuseWrapped('missing accessor', 400, 'bad-accessor');
  const entry = services.tokens.findByAccessor(transaction, accessor);
  if (entry === undefined) throw refuseWrapped('invalid accessor', 400, 'bad-accessor');
  return entry;
}
