import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { fullPath, type MountEntry, mountKey, viewPrefix } from '../../core/mount-entry.ts';
import { refuse } from '../../core/refusal.ts';
import type { Mounted } from '../../core/router.ts';
import { enableMount, mountSchema } from './enable-mount.ts';
import { dropLeases } from './end-leases.ts';
import { tuneSchema } from './mount-config.ts';
import { mountFields, mountTable } from './mount-view.ts';
import { tunedFields, tuneMount } from './tune-mount.ts';

type Kind = MountEntry['kind'];

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
      update: (context) => enableMount(context, kind, mountPath(context)),
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
      read: (context) => ({ data: tunedFields(tunable(context, kind, 'read').entry), flatten: true }),
      update: (context) => tuneMount(context, tunable(context, kind, 'write').entry),
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

function tunable(context: Context, kind: Kind, verb: 'read' | 'write'): Mounted {
  const path = kind === 'auth' ? `auth/${mountPath(context)}` : mountPath(context);
  const found = context.services.router.get(path);
  if (found?.entry.kind === kind) return found;
  throw refuse(
    verb === 'read'
      ? `cannot fetch sysview for path "${path}"`
      : `tune of path "${path}" failed: no mount entry found`,
  );
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
