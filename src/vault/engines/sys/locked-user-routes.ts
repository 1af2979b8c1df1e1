import type { Context, Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';

/** Users who may not log in for a while, by mount. */
export function lockedUserRoutes(): Route[] {
  return [
    { path: 'locked-users', fields: { mount_accessor: 'string' }, operations: { read: list } },
    { path: 'locked-users/:mount_accessor/unlock/*alias_identifier', operations: { update: unlock } },
  ];
}

function list({ services, fields, clock }: Context): Result {
  const wanted = textOf(fields, 'mount_accessor');
  const byMount = new Map<string, string[]>();
  if (wanted !== '') byMount.set(wanted, []);
  for (const { mount, user } of services.lockout.locked(clock)) {
    if (wanted === '' || mount === wanted) byMount.set(mount, [...(byMount.get(mount) ?? []), user]);
  }
  const accessors = [...byMount].map(([mount_accessor, users]) => ({
    mount_accessor,
    counts: users.length,
    alias_identifiers: users.sort(),
  }));
  const total = accessors.reduce((sum, { counts }) => sum + counts, 0);
  return {
    data: {
      by_namespace: [{ namespace_id: 'root', namespace_path: '', counts: total, mount_accessors: accessors }],
      total,
    },
  };
}

function unlock({ services, fields }: Context): undefined {
  const [mount, user] = [textOf(fields, 'mount_accessor'), textOf(fields, 'alias_identifier')];
  if (user === '') throw refuse('missing alias_identifier');
  services.lockout.unlock(mount, user);
}
