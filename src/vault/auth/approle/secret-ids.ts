import type { Context, Route } from '../../core/backend.ts';
import { type Fields, listOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { effectiveMaxTtl } from '../../core/mount-entry.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { uuidOf } from '../../core/uuid.ts';
import { checkCidrs, checkSubset } from './cidr.ts';
import { parseMetadata } from './metadata.ts';
import {
  type AppRole,
  deleteSecretId,
  digestOfAccessor,
  putSecretId,
  readRole,
  readSecretId,
  type SecretIdEntry,
  secretDigest,
  secretIdAccessors,
} from './store.ts';

const newSchema: Schema = {
  secret_id: 'string',
  metadata: 'string',
  cidr_list: 'list',
  token_bound_cidrs: 'list',
  num_uses: 'int',
  ttl: 'seconds',
};
const byId: Schema = { secret_id: 'string' };
const byAccessor: Schema = { secret_id_accessor: 'string' };

/** Making, showing and ending the secret ids of a role. */
export const secretIdRoutes = (): Route[] => [
  {
    path: 'role/:role_name/secret-id',
    fields: newSchema,
    operations: {
      update: (context) => create(context, uuidOf(context.random(16))),
      list,
    },
  },
  {
    path: 'role/:role_name/custom-secret-id',
    fields: newSchema,
    operations: { update: (context) => create(context, textOf(context.fields, 'secret_id')) },
  },
  { path: 'role/:role_name/secret-id/lookup', fields: byId, operations: { update: lookup } },
  {
    path: 'role/:role_name/secret-id/destroy',
    fields: byId,
    operations: { update: destroy, delete: destroy },
  },
  {
    path: 'role/:role_name/secret-id-accessor/lookup',
    fields: byAccessor,
    operations: { update: lookupByAccessor },
  },
  {
    path: 'role/:role_name/secret-id-accessor/destroy',
    fields: byAccessor,
    operations: { update: destroyByAccessor, delete: destroyByAccessor },
  },
];

function list(context: Context): Result | undefined {
  const { store, fields, clock } = context;
  const name = textOf(fields, 'role_name');
  const role = readRole(store, name);
  if (role === undefined) throw refuse(`role "${name}" does not exist`);
  const keys = secretIdAccessors(store, role, clock.now());
  return keys.length === 0 ? undefined : { data: { keys } };
}

function create(context: Context, secretId: string): Result {
  const { store, fields, random, clock, mount } = context;
  const name = textOf(fields, 'role_name');
  if (secretId === '') throw refuse('missing secret_id');
  const role = readRole(store, name);
  if (role === undefined) throw refuse(`role "${name}" does not exist`, 404, 'no-role');
  if (!role.bindSecretId) throw refuse('bind_secret_id is not set on the role');
  const cidrs = listOf(fields, 'cidr_list');
  checkCidrs(cidrs);
  checkSubset(cidrs, role.secretIdBoundCidrs ?? []);
  const tokenCidrs = listOf(fields, 'token_bound_cidrs');
  checkCidrs(tokenCidrs, 'token CIDR blocks');
  checkSubset(tokenCidrs, role.tokens.boundCidrs);
  const [numUses, ttl] = [usesOf(fields, role), ttlOf(fields, role)];
  const digest = secretDigest(role.hmacKey, secretId);
  const now = clock.now();
  if (readSecretId(store, role, digest, now) !== undefined) {
    throw refuseWrapped('failed to store secret_id: SecretID is already registered', 500, 'secret-id-taken');
  }
  const capped = Math.min(ttl, effectiveMaxTtl(mount));
  const entry: SecretIdEntry = {
    accessor: uuidOf(random(16)),
    cidrs,
    tokenCidrs,
    metadata: parseMetadata(textOf(fields, 'metadata')),
    numUses,
    ttl: capped,
    created: now,
    updated: now,
    ...(capped === 0 ? {} : { expires: now + capped * 1000 }),
  };
  putSecretId(store, role, digest, entry);
  return {
    data: {
      secret_id: secretId,
      secret_id_accessor: entry.accessor,
      secret_id_num_uses: numUses,
      secret_id_ttl: capped,
    },
  };
}

function usesOf(fields: Fields, { secretIdNumUses: most }: AppRole): number {
  const uses = numberOf(fields, 'num_uses', most);
  if (uses < 0) throw refuse('num_uses cannot be negative');
  if (most > 0 && (uses === 0 || uses > most)) {
    throw refuse("num_uses cannot be higher than the role's secret_id_num_uses");
  }
  return uses;
}

function ttlOf(fields: Fields, { secretIdTtl: most }: AppRole): number {
  const ttl = numberOf(fields, 'ttl', most);
  if (most > 0 && (ttl === 0 || ttl > most))
    throw refuse("ttl cannot be longer than the role's secret_id_ttl");
  return ttl;
}

function roleThere({ store, fields }: Context): AppRole {
  const name = textOf(fields, 'role_name');
  const role = readRole(store, name);
  if (role === undefined) throw refuseWrapped(`role "${name}" does not exist`, 500, 'no-role');
  return role;
}

function named(context: Context, field: string): string {
  const value = textOf(context.fields, field);
  if (value === '') throw refuse(`missing ${field}`);
  return value;
}

function lookup(context: Context): Result | undefined {
  const secretId = named(context, 'secret_id');
  const role = roleThere(context);
  const digest = secretDigest(role.hmacKey, secretId);
  const entry = readSecretId(context.store, role, digest, context.clock.now());
  return entry && { data: secretIdFields(entry) };
}

function destroy(context: Context): undefined {
  const secretId = named(context, 'secret_id');
  const role = roleThere(context);
  deleteSecretId(context.store, role, secretDigest(role.hmacKey, secretId));
}

const unknownAccessor = (accessor: string): string =>
  `failed to find accessor entry for secret_id_accessor: ${JSON.stringify(accessor)}`;

function lookupByAccessor(context: Context): Result | undefined {
  const accessor = named(context, 'secret_id_accessor');
  const role = roleThere(context);
  const digest = digestOfAccessor(context.store, role, accessor);
  if (digest === undefined) return { status: 404, data: { error: unknownAccessor(accessor) } };
  const entry = readSecretId(context.store, role, digest, context.clock.now());
  return entry && { data: secretIdFields(entry) };
}

function destroyByAccessor(context: Context): undefined {
  const accessor = named(context, 'secret_id_accessor');
  const role = roleThere(context);
  const digest = digestOfAccessor(context.store, role, accessor);
  if (digest === undefined) throw refuseWrapped(unknownAccessor(accessor), 500, 'no-accessor');
  deleteSecretId(context.store, role, digest);
}

function secretIdFields(entry: SecretIdEntry): Fields {
  const { expires } = entry;
  return {
    cidr_list: entry.cidrs,
    creation_time: new Date(entry.created).toISOString(),
    expiration_time: expires === undefined ? '0001-01-01T00:00:00Z' : new Date(expires).toISOString(),
    last_updated_time: new Date(entry.updated).toISOString(),
    metadata: entry.metadata,
    secret_id_accessor: entry.accessor,
    secret_id_num_uses: entry.numUses,
    secret_id_ttl: entry.ttl,
    token_bound_cidrs: entry.tokenCidrs,
  };
}
