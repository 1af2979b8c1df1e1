import { type Backend, type Context, defineBackend, type Route } from '../../core/backend.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import { renewalRefused, renewToken } from '../../core/renew-token.ts';
import type { Result } from '../../core/request.ts';
import type { TokenEntry } from '../../core/token-entry.ts';
import { createAgainstRole, createToken } from './create.ts';
import { roleRoutes } from './role-routes.ts';
import { readTokenRole } from './role-store.ts';
import { createSchema, tokenFields } from './schema.ts';

const byToken = { token: 'string', increment: 'seconds' } as const;
const byAccessor = { accessor: 'string', increment: 'seconds' } as const;

/** The method every store has: tokens that make, show, extend and end tokens. */
export function createTokenAuth(): Backend {
  return defineBackend({
    type: 'token',
    renew: (store, name, { entry }) => {
      const role = readTokenRole(store, name);
      if (role === undefined) {
        throw renewalRefused(`original token role "${name}" could not be found, not renewing`, 'role-gone');
      }
      const { period, explicitMaxTtl } = role.tokens;
      return { ttl: entry.ttl / 1000, maxTtl: 0, period, explicitMaxTtl };
    },
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
      {
        path: 'create/:role_name',
        fields: createSchema,
        operations: { update: createAgainstRole },
      },
      ...roleRoutes(),
      { path: 'tidy', operations: { update: () => tidied } },
      { path: 'lookup-self', operations: { read: lookupSelf, update: lookupSelf } },
      { path: 'lookup', fields: byToken, operations: { read: lookup, update: lookup } },
      { path: 'lookup-accessor', fields: byAccessor, operations: { update: lookupAccessor } },
      { path: 'renew-self', fields: byToken, operations: { update: renewSelf } },
      { path: 'renew', fields: byToken, operations: { update: renew } },
      { path: 'renew-accessor', fields: byAccessor, operations: { update: renewAccessor } },
      { path: 'revoke-self', operations: { update: revokeSelf } },
      { path: 'revoke', fields: byToken, operations: { update: revoke } },
      { path: 'revoke-accessor', fields: byAccessor, operations: { update: revokeAccessor } },
      { path: 'revoke-orphan', fields: byToken, operations: { update: revokeOrphan } },
      accessorsRoute,
    ],
  });
}

/** Nothing can be left over: a token, its accessor, lease and cubbyhole end in one transaction. */
const tidied: Result = {
  status: 202,
  warnings: ['Nothing to tidy: what belongs to a token ends together with it.'],
};

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
  const token = textOf(context.fields, 'token') || (context.auth?.clientToken ?? '');
  const entry = find(context, token);
  if (entry === undefined) throw refuse('bad token', 403, 'token-unknown');
  return { data: tokenFields(context, entry, token) };
}

function lookupAccessor(context: Context): Result {
  return { data: tokenFields(context, entryOfAccessor(context), '') };
}

function renewSelf(context: Context): Result | undefined {
  const { auth, fields } = context;
  if (auth === undefined) return undefined;
  return renewService(context, auth.token, numberOf(fields, 'increment'), auth.clientToken);
}

function renew(context: Context): Result | undefined {
  const token = tokenField(context);
  const entry = find(context, token);
  if (entry === undefined) throw refuse('token not found', 400, 'token-unknown');
  return renewService(context, entry, numberOf(context.fields, 'increment'), token);
}

function renewAccessor(context: Context): Result | undefined {
  return renewToken(context, entryOfAccessor(context), numberOf(context.fields, 'increment'), '');
}

function renewService(
  context: Context,
  entry: TokenEntry,
  increment: number,
  shown: string,
): Result | undefined {
  if (entry.type === 'batch') throw refuse('batch tokens cannot be renewed', 400, 'batch-token');
  return renewToken(context, entry, increment, shown);
}

function revokeSelf({ services, transaction, auth }: Context): undefined {
  if (auth === undefined) return;
  checkRevocable(auth.token);
  services.tokens.revoke(transaction, auth.token.key);
}

function revoke(context: Context): undefined {
  const entry = find(context, tokenField(context));
  if (entry === undefined) return;
  checkRevocable(entry);
  context.services.tokens.revoke(context.transaction, entry.key);
}

function checkRevocable(entry: TokenEntry): void {
  if (entry.type === 'batch') throw refuse('batch tokens cannot be revoked', 400, 'batch-token');
}

function tokenField({ fields }: Context): string {
  const token = textOf(fields, 'token');
  if (token === '') throw refuse('missing token ID');
  return token;
}

function revokeAccessor(context: Context): Result | undefined {
  const { services, transaction, fields } = context;
  const accessor = textOf(fields, 'accessor');
  if (accessor === '') throw refuseWrapped('missing accessor', 400, 'bad-accessor');
  const entry = services.tokens.findByAccessor(transaction, accessor);
  if (entry === undefined) return { warnings: ['No token found with this accessor'] };
  services.tokens.revoke(transaction, entry.key);
  return undefined;
}

function revokeOrphan(context: Context): undefined {
  const { auth, request } = context;
  const question = { operation: 'update', path: request.path, data: {}, needsSudo: true } as const;
  if (auth?.acl.allows({ ...question, wrapTtl: undefined }).allowed !== true)
    throw refuse('root or sudo privileges required to revoke and orphan', 400, 'needs-sudo');
  const entry = find(context, tokenField(context));
  if (entry === undefined) throw refuse('token to revoke not found', 400, 'token-unknown');
  checkRevocable(entry);
  context.services.tokens.revokeOrphaning(context.transaction, entry.key);
}

function find({ services, transaction }: Context, token: string): TokenEntry | undefined {
  const now = services.leases.now();
  const entry = token === '' ? undefined : services.tokens.findToken(transaction, token, now);
  if (entry?.expires !== undefined) return entry.expires > now ? entry : undefined;
  if (entry === undefined || entry.leaseId === '') return entry;
  const lease = services.leases.get(entry.leaseId);
  return lease !== undefined && lease.expires > now ? entry : undefined;
}

function entryOfAccessor({ services, transaction, fields }: Context): TokenEntry {
  const accessor = textOf(fields, 'accessor');
  if (accessor === '') throw refuseWrapped('missing accessor', 400, 'bad-accessor');
  const entry = services.tokens.findByAccessor(transaction, accessor);
  if (entry === undefined) throw refuseWrapped('invalid accessor', 400, 'bad-accessor');
  return entry;
}
