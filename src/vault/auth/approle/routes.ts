import { type Backend, type Context, defineBackend, type Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { effectiveMaxTtl } from '../../core/mount-entry.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import { renewalRefused } from '../../core/renew-token.ts';
import type { Result } from '../../core/request.ts';
import { type RoleTable, roleRoutes, ttlsOf } from '../role-routes.ts';
import { login } from './login.ts';
import { partRoutes } from './role-parts.ts';
import { readRoleFields, roleFields, roleSchema } from './schema.ts';
import { secretIdRoutes } from './secret-ids.ts';
import { type AppRole, deleteRole, listRoles, putRole, readRole, tidySecretIds } from './store.ts';

/** Milliseconds. A secret id whose time is over is refused at once; this is about room. */
const tidyEvery = 3_600_000;

/** Logins of programs by a role id and a secret id. */
export function createAppRoleAuth(): Backend {
  let tidied = 0;
  return defineBackend({
    type: 'approle',
    periodic: ({ store, clock }) => {
      if (clock.now() < tidied + tidyEvery) return;
      tidied = clock.now();
      tidySecretIds(store, tidied);
    },
    renew: (store, name) => {
      const role = readRole(store, name);
      if (role === undefined)
        throw renewalRefused(`role "${name}" does not exist during renewal`, 'role-gone');
      return ttlsOf(role.tokens);
    },
    routes: [
      {
        path: 'login',
        open: true,
        login: true,
        fields: { role_id: 'string', secret_id: 'string' },
        operations: { update: login },
      },
      ...roleRoutes(roleTable),
      roleIdRoute,
      ...secretIdRoutes(),
      ...partRoutes(),
      { path: 'tidy/secret-id', operations: { update: tidy } },
    ],
  });
}

const roleTable: RoleTable<AppRole> = {
  path: 'role/:role_name',
  schema: roleSchema,
  entries: {
    read: readRole,
    remove: (store, name) => {
      const role = readRole(store, name);
      if (role !== undefined) deleteRole(store, role);
    },
    names: listRoles,
  },
  fields: roleFields,
  write: writeRole,
  tellsNew: true,
};

function writeRole(context: Context): Result | undefined {
  const { store, mount } = context;
  const name = textOf(context.fields, 'role_name');
  const type = textOf(context.fields, 'token_type');
  const adjusted = /^default-(service|batch)$/.exec(type)?.[1];
  const fields = adjusted === undefined ? context.fields : { ...context.fields, token_type: adjusted };
  const before = readRole(store, name);
  const role = readRoleFields(context, fields, name, before);
  putRole(store, role, before);
  const warnings = [
    ...(adjusted === undefined ? [] : [`${type} has no useful meaning; adjusting to ${adjusted}`]),
    ...(role.tokens.maxTtl > effectiveMaxTtl(mount) ? [maxTtlWarning] : []),
  ];
  return warnings.length === 0 ? undefined : { warnings };
}

const maxTtlWarning =
  "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated";

const roleIdRoute: Route = {
  path: 'role/:role_name/role-id',
  fields: { role_id: 'string' },
  operations: {
    read: ({ store, fields }) => {
      const role = readRole(store, textOf(fields, 'role_name'));
      return role && { data: { role_id: role.roleId } };
    },
    update: (context) => {
      const { store, fields } = context;
      const role = readRole(store, textOf(fields, 'role_name'));
      if (role === undefined) throw refuseWrapped('unsupported path', 404, 'unsupported-path');
      const roleId = textOf(fields, 'role_id');
      if (roleId === '') throw refuse('missing role_id');
      putRole(store, readRoleFields(context, { role_id: roleId }, role.name, role), role);
      return undefined;
    },
  },
};

function tidy({ store, clock }: Context): Result {
  tidySecretIds(store, clock.now());
  return { status: 202, warnings: ['Expired secret ids were taken away.'] };
}
