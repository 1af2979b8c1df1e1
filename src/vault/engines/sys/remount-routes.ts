import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { fullPath, type MountEntry, mountKey } from '../../core/mount-entry.ts';
import { putMount } from '../../core/mounts.ts';
import { quotaPrefix } from '../../core/rate-quotas.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { uuidOf } from '../../core/uuid.ts';
import { endLeases } from './end-leases.ts';

const fields = { from: 'string', to: 'string' } as const;
const fixedMounts = ['sys/', 'cubbyhole/', 'identity/'];

/** A mount under another path, with everything in it. It is done when the call is answered; the status says so. */
export function remountRoutes(): Route[] {
  return [
    { path: 'remount', sudo: true, fields, operations: { update: remount } },
    { path: 'remount/status/:id', operations: { read: status } },
  ];
}

function remount(context: Context): Result {
  const { services, transaction, random } = context;
  const [from, to] = [wanted(context, 'from'), wanted(context, 'to')];
  if (from === '/' || to === '/') throw refuse("both 'from' and 'to' path must be specified as a string");
  const mounted = services.router.get(from);
  checkPlaces(from, to);
  const stored = mounted && transaction.get<MountEntry>(mountKey(mounted.entry.kind, mounted.entry.path));
  if (mounted === undefined || stored === undefined) throw refuse(`no matching mount at "${from}"`);
  const conflict = services.router.conflict(to);
  const entry = { ...stored, path: stored.kind === 'auth' ? to.slice('auth/'.length) : to };
  const isTaken = transaction.get(mountKey(entry.kind, entry.path)) !== undefined;
  if (conflict !== undefined || isTaken) throw refuse(`path already in use at "${conflict ?? to}"`);
  endLeases(context, from);
  transaction.delete(mountKey(stored.kind, stored.path));
  putMount(transaction, entry);
  const id = uuidOf(random(16));
  transaction.afterCommit(() => {
    services.router.remove(from);
    services.router.set({ entry, backend: mounted.backend });
    services.migrations.add(id, { source_mount: from, target_mount: to, status: 'success' });
  });
  moveQuotas(context, from, fullPath(entry));
  return {
    data: { migration_id: id },
    flatten: true,
    warnings: [
      "Mount move has been queued. Progress will be reported in Vault's server log, tagged with the returned migration_id",
    ],
  };
}

const wanted = ({ fields: sent }: Context, name: 'from' | 'to'): string => {
  const path = textOf(sent, name);
  if (path !== path.trim()) throw refuse(`'${name}' path cannot contain trailing whitespace`);
  return `${path.replace(/^\/+|\/+$/g, '')}/`;
};

function checkPlaces(from: string, to: string): void {
  if (from.startsWith('auth/')) {
    if (!to.startsWith('auth/')) throw refuse(`cannot remount auth mount to non-auth mount "${to}"`);
    if (from === 'auth/token/') throw refuse(`cannot remount "${from}"`);
    if (to === 'auth/' || to.startsWith('auth/token/')) throw refuse(`cannot remount to destination "${to}"`);
    return;
  }
  if (fixedMounts.includes(from)) throw refuse(`cannot remount "${from}"`);
  if (to.startsWith('auth/') || fixedMounts.some((fixed) => to.startsWith(fixed))) {
    throw refuse(`cannot remount to destination ${to}`);
  }
}

/** What limited the mount limits it at its new place. */
function moveQuotas({ services, transaction }: Context, from: string, to: string): void {
  for (const quota of services.quotas.all().filter(({ path }) => path.startsWith(from))) {
    const moved = { ...quota, path: to + quota.path.slice(from.length) };
    transaction.put(quotaPrefix + quota.name, moved);
    transaction.afterCommit(() => services.quotas.set(moved));
  }
}

function status({ services, fields: sent }: Context): Result | undefined {
  const id = textOf(sent, 'id');
  const found = services.migrations.get(id);
  return found === undefined ? undefined : { data: { migration_id: id, migration_info: found } };
}
