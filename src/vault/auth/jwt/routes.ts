import { messageOf } from '../../../lib/errors.ts';
import { type Backend, type Context, defineBackend } from '../../core/backend.ts';
import { booleanOf, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { type RoleTable, roleRoutes, ttlsOf } from '../role-routes.ts';
import type { FetchJson } from './fetch-json.ts';
import { KeySource } from './key-source.ts';
import { login } from './login.ts';
import {
  configFields,
  configSchema,
  readConfigFields,
  readRoleFields,
  roleFields,
  roleSchema,
} from './schema.ts';
import { type JwtConfig, type JwtRole, putConfig, readConfig, roles } from './store.ts';

/** Logins by JWTs that somebody else signed: static keys, a JWKS, or OpenID Connect discovery. */
export function createJwtAuth(fetch: FetchJson): Backend {
  const keys = new KeySource(fetch);
  return defineBackend({
    type: 'jwt',
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
        operations: { update: (context) => login(context, keys) },
      },
      {
        path: 'config',
        fields: configSchema,
        operations: {
          read: async ({ store, clock }) => {
            const config = readConfig(store);
            if (config === undefined) return undefined;
            const isValid = await keys.check(config, clock).then(
              () => true,
              () => false,
            );
            return { data: configFields(config, isValid) };
          },
          update: (context) => writeConfig(context, keys),
        },
      },
      ...roleRoutes(roleTable),
    ],
  });
}

/** The provider is asked at once, so that a wrong address is seen here and not at the first login. */
async function writeConfig({ store, fields, clock }: Context, keys: KeySource): Promise<Result | undefined> {
  const config = readConfigFields(fields);
  const problem = await keys.check(config, clock).then(
    () => undefined,
    (error: unknown) => problemText(config, error),
  );
  if (problem !== undefined && !booleanOf(fields, 'skip_jwks_validation')) {
    throw refuse(problem, 400, 'jwt-provider');
  }
  putConfig(store, config);
  return problem === undefined ? undefined : { warnings: [problem] };
}

const problemText = (config: JwtConfig, error: unknown): string =>
  config.discoveryUrl !== ''
    ? `error checking oidc discovery URL: ${messageOf(error)}`
    : 'error checking jwks URL';

const roleTable: RoleTable<JwtRole> = {
  path: 'role/:name',
  schema: roleSchema,
  entries: roles,
  fields: roleFields,
  write: writeRole,
  tellsNew: true,
};

function writeRole({ store, fields }: Context): undefined {
  const name = textOf(fields, 'name');
  roles.put(store, name, readRoleFields(fields, roles.read(store, name)));
}
