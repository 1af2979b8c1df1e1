import { type Backend, type Context, defineBackend } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { effectiveMaxTtl } from '../../core/mount-entry.ts';
import type { Result } from '../../core/request.ts';
import { listRoute, type RoleTable, roleRoutes, ttlsOf } from '../role-routes.ts';
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
import { type KubernetesRole, putConfig, readConfig, roles } from './store.ts';
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
      const role = roles.read(store, name);
      return role && ttlsOf(role.tokens);
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
      ...roleRoutes(roleTable),
      listRoute('roles', roles),
    ],
  });
}

const roleTable: RoleTable<KubernetesRole> = {
  path: 'role/:name',
  schema: roleSchema,
  entries: roles,
  fields: roleFields,
  write: writeRole,
  tellsNew: true,
};

const maxTtlWarning =
  "max_ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated";

async function writeRole({ store, fields, mount }: Context): Promise<Result | undefined> {
  const name = textOf(fields, 'name');
  const most = effectiveMaxTtl(mount);
  const role = await readRoleFields(fields, roles.read(store, name), most);
  roles.put(store, name, role);
  return role.tokens.maxTtl > most ? { warnings: [maxTtlWarning] } : undefined;
}
