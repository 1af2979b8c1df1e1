import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, coerceFields, type Fields, textOf } from '../../core/fields.ts';
import {
  effectiveDefaultTtl,
  effectiveMaxTtl,
  fullPath,
  type MountEntry,
  mountKey,
  systemTtl,
  viewPrefix,
} from '../../core/mount-entry.ts';
import { backendFor, defaultMountConfig, newMount, putMount } from '../../core/mounts.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { Mounted } from '../../core/router.ts';
import { dropLeases } from './end-leases.ts';
import { lockoutFields } from './lockout-config.ts';
import { readMountConfig, tuneSchema } from './mount-config.ts';
import { mountFields, mountTable } from './mount-view.ts';

type Kind = MountEntry['kind'];

const mountSchema = {
  type: 'string',
  description: 'string',
  config: 'map',
  options: 'texts',
  local: 'bool',
  seal_wrap: 'bool',
  plugin_name: 'string',
  external_entropy_access: 'bool',
} as const;

/** `generic` and `kv-v1` are old names of kv version 1. */
const aliases: Readonly<Record<string, { readonly type: string; readonly version: string }>> = {
  'kv-v1': { type: 'kv', version: '1' },
  'kv-v2': { type: 'kv', version: '2' },
  generic: { type: 'kv', version: '1' },
};

/** sys/mounts and sys/auth: the same calls for two tables. sys/auth wants sudo. */
export function mountRoutes(): Route[] {
  return [
    tuneRoute('mounts/auth/*mount/tune', 'auth', false),
    tuneRoute('mounts/*mount/tune', 'secret', false),
    tuneRoute('auth/*mount/tune', 'auth', true),
    tableRoute('mounts', 'secret'),
    tableRoute('auth', 'auth'),
    oneRoute('mounts/*mount', 'secret', false),
    oneRoute('auth/*mount', 'auth', true),
  ];
}

function tableRoute(path: string, kind: Kind): Route {
  return {
    path,
    operations: { read: ({ services }) => ({ data: mountTable(services.router.all(kind)), flatten: true }) },
  };
}

function oneRoute(path: string, kind: Kind, sudo: boolean): Route {
  return {
    path,
    sudo,
    fields: mountSchema,
    operations: {
      read: (context) => ({ data: mountFields(find(context, kind)), flatten: true }),
      update: (context) => enable(context, kind),
      delete: (context) => disable(context, kind),
    },
  };
}

function tuneRoute(path: string, kind: Kind, sudo: boolean): Route {
  return {
    path,
    sudo,
    fields: tuneSchema,
    operations: {
      read: (context) => ({ data: tuned(find(context, kind).entry), flatten: true }),
      update: (context) => tune(context, kind),
    },
  };
}

const mountPath = ({ fields }: Context): string => `${textOf(fields, 'mount').replace(/^\/+|\/+$/g, '')}/`;

function find(context: Context, kind: Kind): Mounted {
  const path = mountPath(context);
  const found = context.services.router.get(kind === 'auth' ? `auth/${path}` : path);
  if (found?.entry.kind === kind) return found;
  throw refuse(
    `No ${kind === 'auth' ? 'auth' : 'secret'} engine${kind === 'auth' ? '' : ' mount'} at ${path}`,
  );
}

function enable(context: Context, kind: Kind): undefined {
  const { fields, services, transaction, random } = context;
  const path = mountPath(context);
  const given = textOf(fields, 'type');
  if (given === '') throw refuse('backend type must be specified as a string');
  const alias = Object.hasOwn(aliases, given) ? aliases[given] : undefined;
  const type = alias?.type ?? given;
  checkPath(context, kind, path, type);
  const options = { ...(fields.options as Record<string, string> | undefined) };
  const config = (fields.config as Fields | undefined) ?? {};
  for (const [key, value] of Object.entries((config.options as Fields | null | undefined) ?? {})) {
    options[key] = String(value);
  }
  if (alias !== undefined) options.version = alias.version;
  const entry = newMount(
    {
      kind,
      path,
      type,
      description: textOf(fields, 'description'),
      config: readMountConfig(
        coerceFields(tuneSchema, { ...config, options: null }),
        defaultMountConfig,
        type,
      ),
      options: Object.keys(options).length === 0 ? null : options,
      local: booleanOf(fields, 'local'),
      sealWrap: booleanOf(fields, 'seal_wrap'),
    },
    random,
  );
  refuseLongDefault(context, entry);
  const backend = backendFor(services.catalogue, entry);
  putMount(transaction, entry);
  transaction.afterCommit(() => services.router.set({ entry, backend }));
}

function refuseLongDefault({ mount }: Context, { config }: MountEntry): void {
  const most = mount.system?.maxTtl ?? systemTtl;
  if (config.max_lease_ttl === 0 && config.default_lease_ttl > most)
    throw refuse(`given default lease TTL greater than system max lease TTL of ${most}`);
}

function checkPath({ services, transaction }: Context, kind: Kind, path: string, type: string): void {
  if (path === '/') throw refuse('backend path must be specified as a string');
  const only = ['token', 'system', 'cubbyhole', 'identity'];
  if (kind === 'auth' && type === 'token') throw refuse('token credential backend cannot be instantiated');
  if (only.includes(type)) throw refuse(`mount type of "${type}" is not mountable`);
  if (kind === 'secret' && /^(auth|sys|cubbyhole|identity)\//.test(path))
    throw refuse(`cannot mount "${path}"`);
  // Read in the transaction too: of two calls at once, the second sees the first.
  const taken = transaction.get(mountKey(kind, path)) !== undefined;
  if (taken) throw refuse(`path is already in use at ${path}`, 400, 'mount-exists');
  const conflict = services.router.conflict(kind === 'auth' ? `auth/${path}` : path);
  if (conflict !== undefined) throw refuse(`existing mount at ${conflict}`, 400, 'mount-exists');
}

/** Takes leases, tokens and everything stored with it. */
function disable(context: Context, kind: Kind): undefined {
  const { services, transaction } = context;
  const path = mountPath(context);
  if (kind === 'auth' && path === 'token/') throw refuse('token credential backend cannot be disabled');
  if (kind === 'secret' && ['sys/', 'cubbyhole/', 'identity/'].includes(path))
    throw refuse(`cannot unmount "${path}"`);
  const entry = transaction.get<MountEntry>(mountKey(kind, path));
  if (entry === undefined) return;
  const full = fullPath(entry);
  dropLeases(context, full); // what they stand for goes with the mount
  for (const name of transaction.all(viewPrefix(entry))) transaction.delete(viewPrefix(entry) + name);
  transaction.delete(mountKey(kind, path));
  transaction.afterCommit(() => services.router.remove(full));
}

function tuned(entry: MountEntry): Fields {
  const { config, options, kind } = entry;
  const { lockout, ...shown } = config;
  return {
    ...shown,
    ...(lockout === undefined ? {} : lockoutFields(lockout)),
    default_lease_ttl: effectiveDefaultTtl(entry),
    max_lease_ttl: effectiveMaxTtl(entry),
    description: entry.description,
    ...(options === null ? {} : { options }),
    ...(kind === 'auth' ? { token_type: config.token_type ?? 'default-service' } : {}),
  };
}

function tune(context: Context, kind: Kind): Result | undefined {
  const { fields, services, transaction } = context;
  const { entry } = find(context, kind);
  const before = transaction.get<MountEntry>(mountKey(kind, entry.path)) ?? entry;
  const options = fields.options as Record<string, string> | undefined;
  const after: MountEntry = {
    ...before,
    config: readMountConfig(fields, before.config, before.type),
    description: textOf(fields, 'description', before.description),
    options:
      options === undefined || Object.keys(options).length === 0
        ? before.options
        : { ...before.options, ...options },
  };
  putMount(transaction, after);
  const backend = backendFor(services.catalogue, after);
  transaction.afterCommit(() => services.router.set({ entry: after, backend }));
  return undefined;
}
