import type { Context, Route } from '../../core/backend.ts';
import { type Fields, listOf, numberOf, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { readRoleFields, roleFields, roleSchema } from './schema.ts';
import { type AppRole, putRole, readRole } from './store.ts';

/** One field of a role under a path of its own. */
interface Part {
  readonly path: string;
  /** The field's name, then its old name if it has one. */
  readonly names: readonly [string, ...string[]];
  /** What a DELETE puts in its place. */
  readonly initial: unknown;
  /** Nothing sent is nothing changed, not a mistake. */
  readonly silent?: true;
}

const parts: readonly Part[] = [
  { path: 'policies', names: ['token_policies', 'policies'], initial: [] },
  { path: 'period', names: ['token_period', 'period'], initial: 0 },
  { path: 'token-ttl', names: ['token_ttl'], initial: 0 },
  { path: 'token-max-ttl', names: ['token_max_ttl'], initial: 0 },
  { path: 'token-num-uses', names: ['token_num_uses'], initial: 0 },
  { path: 'token-bound-cidrs', names: ['token_bound_cidrs'], initial: [], silent: true },
  { path: 'bind-secret-id', names: ['bind_secret_id'], initial: true },
  { path: 'secret-id-ttl', names: ['secret_id_ttl'], initial: 0 },
  { path: 'secret-id-num-uses', names: ['secret_id_num_uses'], initial: 0 },
  { path: 'secret-id-bound-cidrs', names: ['secret_id_bound_cidrs'], initial: [], silent: true },
  {
    path: 'bound-cidr-list',
    names: ['bound_cidr_list', 'secret_id_bound_cidrs'],
    initial: [],
    silent: true,
  },
];

/** `role/NAME/policies` and so on: read, change and reset a single field. */
export const partRoutes = (): Route[] => [
  ...parts.map(partRoute),
  {
    path: 'role/:role_name/local-secret-ids',
    operations: {
      read: ({ store, fields }) => {
        const role = readRole(store, textOf(fields, 'role_name'));
        return role && { data: { local_secret_ids: role.localSecretIds } };
      },
    },
  },
];

function partRoute(part: Part): Route {
  return {
    path: `role/:role_name/${part.path}`,
    fields: Object.fromEntries(part.names.map((name) => [name, roleSchema[name] ?? 'any'])),
    operations: {
      read: (context) => readPart(context, part),
      update: (context) => writePart(context, part),
      delete: (context) => {
        const role = roleOf(context);
        if (role !== undefined) apply(context, role, { [part.names[0]]: part.initial });
        return undefined;
      },
    },
  };
}

const roleOf = ({ store, fields }: Context): AppRole | undefined =>
  readRole(store, textOf(fields, 'role_name'));

const deprecated =
  'The "bound_cidr_list" field is deprecated and will be removed. Please use "secret_id_bound_cidrs" instead.';

function readPart(context: Context, { names, path }: Part): Result | undefined {
  const role = roleOf(context);
  if (role === undefined) return undefined;
  if (path === 'bound-cidr-list') {
    return { data: { bound_cidr_list: role.secretIdBoundCidrs }, warnings: [deprecated] };
  }
  const all: Fields = roleFields(role);
  return { data: Object.fromEntries(names.filter((name) => name in all).map((name) => [name, all[name]])) };
}

function writePart(context: Context, part: Part): undefined {
  const role = roleOf(context);
  if (role === undefined) throw refuseWrapped('unsupported path', 404, 'unsupported-path');
  const { role_name: _, ...given } = context.fields;
  const [name, old] = part.names;
  if (!part.names.some((one) => one in given)) {
    if (part.silent) return;
    throw refuse(`missing ${part.path === 'period' ? old : name}`);
  }
  if (
    part.silent &&
    part.path !== 'token-bound-cidrs' &&
    part.names.every((one) => isEmptyList(given, one))
  ) {
    throw refuse('missing bound_cidr_list');
  }
  checkTtls(role, given);
  apply(context, role, given);
}

const isEmptyList = (fields: Fields, name: string): boolean => listOf(fields, name).length === 0;

function checkTtls({ tokens }: AppRole, fields: Fields): void {
  const ttl = numberOf(fields, 'token_ttl');
  const max = numberOf(fields, 'token_max_ttl');
  if (tokens.maxTtl > 0 && ttl > tokens.maxTtl) {
    throw refuse('token_ttl should not be greater than token_max_ttl');
  }
  if (max > 0 && tokens.ttl > max) {
    throw refuse('token_max_ttl should be greater than or equal to token_ttl');
  }
}

function apply(context: Context, role: AppRole, fields: Fields): void {
  putRole(context.store, readRoleFields(context, fields, role.name, role), role);
}
