import { type Backend, type Context, defineBackend } from '../../core/backend.ts';
import { type Fields, textOf } from '../../core/fields.ts';
import { refuseWrapped } from '../../core/refusal.ts';
import { renewalRefused } from '../../core/renew-token.ts';
import { readRoleTokens, roleTokenFields } from '../../core/role-fields.ts';
import { sanitizePolicies } from '../../policy/policy.ts';
import { type RoleTable, roleRoutes, ttlsOf } from '../role-routes.ts';
import { login } from './login.ts';
import { hashPassword } from './password.ts';
import { legacy, passwordSchema, policiesSchema, readPassword, userSchema } from './schema.ts';
import { type User, users } from './store.ts';

/** Logins of people by name and password. */
export function createUserpassAuth(): Backend {
  return defineBackend({
    type: 'userpass',
    renew: (store, name, { entry }) => {
      const user = users.read(store, name);
      if (user === undefined) return 'nothing';
      const { tokens } = user;
      const now = sanitizePolicies(tokens.policies, !tokens.noDefaultPolicy);
      if (now.join() !== entry.policies.join()) {
        throw renewalRefused('policies have changed, not renewing', 'policies-changed');
      }
      return ttlsOf(tokens);
    },
    routes: [
      {
        path: 'login/:username',
        open: true,
        login: true,
        fields: { password: 'string' },
        operations: { update: login },
      },
      ...roleRoutes(userTable),
      {
        path: 'users/:username/password',
        fields: passwordSchema,
        operations: { update: writePassword },
      },
      {
        path: 'users/:username/policies',
        fields: policiesSchema,
        operations: { update: writePolicies },
      },
    ],
  });
}

const nameOf = (fields: Fields): string => textOf(fields, 'username').toLowerCase();

const userTable: RoleTable<User> = {
  path: 'users/:username',
  schema: userSchema,
  entries: users,
  fields: ({ tokens }) => roleTokenFields(tokens),
  write: writeUser,
  tellsNew: true,
};

async function writeUser({ store, fields }: Context): Promise<undefined> {
  const before = users.read(store, nameOf(fields));
  const password = readPassword(fields, before === undefined);
  const tokens = readRoleTokens(fields, before?.tokens, legacy);
  const hash = before !== undefined && password === '' ? before.password : await hashPassword(password);
  users.put(store, nameOf(fields), { password: hash, tokens });
}

function userThere({ store, fields }: Context): User {
  const user = users.read(store, nameOf(fields));
  if (user === undefined) throw refuseWrapped('username does not exist', 500, 'no-user');
  return user;
}

async function writePassword(context: Context): Promise<undefined> {
  const user = userThere(context);
  const password = await hashPassword(readPassword(context.fields, true));
  users.put(context.store, nameOf(context.fields), { ...user, password });
}

function writePolicies(context: Context): undefined {
  const user = userThere(context);
  const tokens = readRoleTokens(context.fields, user.tokens, legacy);
  users.put(context.store, nameOf(context.fields), { ...user, tokens });
}
