import { type Backend, type Context, defineBackend, type Route } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { effectiveMaxTtl } from '../../core/mount-entry.ts';
import type { Result } from '../../core/request.ts';
import type { ClusterReader } from './cluster-reader.ts';
import { LocalKeys } from './local-keys.ts';
import { type Cluster, login } from './login.ts';
import {
  configFields,
  configSchema,
  readConfigFields,
  readRoleFields,
  roleFields,
  roleSchema,
} from './schema.ts';
import { deleteRole, listRoles, putConfig, putRole, readConfig, readRole } from './store.ts';
import type { ReadLocal, TokenReviewer } from './token-reviewer.ts';

/** Logins by service account token, confirmed by the cluster's own API server. */
export function createKubernetesAuth(o: {
  readonly review: TokenReviewer;
  readonly readLocal: ReadLocal;
  readonly readCluster: ClusterReader;
}): Backend {
  const cluster: Cluster = { ...o, keys: new LocalKeys(o.readCluster) };
  return defineBackend({
    type: 'kubernetes',
    renew: (store, name) => {
      const role = readRole(store, name);
      return role && { ttl: role.tokens.ttl, maxTtl: role.tokens.maxTtl, period: role.tokens.period };
    },
    routes: [
      {
        path: 'login',
        open: true,
        login: true,
        fields: { role: 'string', jwt: 'string' },
        operations: { update: (context) => login(context, cluster) },
      },
      {
        path: 'config',
        fields: configSchema,
        operations: {
          read: ({ store }) => {
            const config = readConfig(store);
            return config === undefined ? undefined : { data: configFields(config) };
          },
          update: ({ store, fields }) => {
            putConfig(
              store,
              readConfigFields(fields, () => o.readLocal('ca.crt')),
            );
            return undefined;
          },
        },
      },
      roleRoute,
      { path: 'role', operations: { list } },
      { path: 'roles', operations: { list } },
    ],
  });
}

const roleRoute: Route = {
  path: 'role/:name',
  fields: roleSchema,
  exists: ({ store, fields }) => readRole(store, textOf(fields, 'name')) !== undefined,
  operations: {
    read: ({ store, fields }) => {
      const role = readRole(store, textOf(fields, 'name'));
      return role === undefined ? undefined : { data: roleFields(role) };
    },
    create: writeRole,
    update: writeRole,
    delete: ({ store, fields }) => {
      deleteRole(store, textOf(fields, 'name'));
      return undefined;
    },
  },
};

const maxTtlWarning =
  "max_ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated";

async function writeRole({ store, fields, mount }: Context): Promise<Result | undefined> {
  const name = textOf(fields, 'name');
  const most = effectiveMaxTtl(mount);
  const role = await readRoleFields(fields, readRole(store, name), most);
  putRole(store, name, role);
  return role.tokens.maxTtl > most ? { warnings: [maxTtlWarning] } : undefined;
}

function list({ store }: Context): Result | undefined {
  const keys = listRoles(store);
  return keys.length === 0 ? undefined : { data: { keys } };
}
