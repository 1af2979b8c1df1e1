import { type Backend, type Context, defineBackend, type Route } from '../../core/backend.ts';
import { type Fields, textOf } from '../../core/fields.ts';
import { refuseWrapped } from '../../core/refusal.ts';
import { renewalRefused } from '../../core/renew-token.ts';
import type { Result } from '../../core/request.ts';
import { readRoleTokens, roleTokenFields } from '../../core/role-fields.ts';
import { sanitizePolicies } from '../../policy/policy.ts';
import { login } from './login.ts';
import { hashPassword } from './password.ts';
import { legacy, passwordSchema, policiesSchema, readPassword, userSchema } from './schema.ts';
import { deleteUser, listUsers, putUser, readUser, type User } from './store.ts';

/** Logins of people by name and password. */
export function createUserpassAuth(): Backend {
  return defineBackend({
    type: 'userpass',
    renew: (store, name, { entry }) => {
      const user = readUser(store, name);
      if (user === undefined) return 'nothing';
      const { tokens } = user;
      const now = sanitizePolicies(tokens.policies, !tokens.noDefaultPolicy);
      if (now.join() !== entry.policies.join()) {
        throw renewalRefused('policies have changed, not renewing', 'policies-changed');
      }
      return { ttl: tokens.ttl, maxTtl: tokens.maxTtl, period: tokens.period };
    },
    routes: [
      {
        path: 'login/:username',
        open: true,
        login: true,
        fields: { password: 'string' },
        operations: { update: login },
      },
      userRoute,
      { path: 'users', operations: { list } },
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

const userRoute: Route = {
  path: 'users/:username',
  fields: userSchema,
  exists: ({ store, fields }) => readUser(store, nameOf(fields)) !== undefined,
  operations: {
    read: ({ store, fields }) => {
      const user = readUser(store, nameOf(fields));
      return user && { data: roleTokenFields(user.tokens) };
    },
    create: writeUser,
    update: writeUser,
    delete: ({ store, fields }) => {
      deleteUser(store, nameOf(fields));
      return undefined;
    },
  },
};

async function writeUser({ store, fields }: Context): Promise<undefined> {
  const before = readUser(store, nameOf(fields));
  const password = readPassword(fields, before === undefined);
  const tokens = readRoleTokens(fields, before?.tokens, legacy);
  const hash = before !== undefined && password === '' ? before.password : await hashPassword(password);
  putUser(store, nameOf(fields), { password: hash, tokens });
}

function userThere({ store, fields }: Context): User {
  const user = readUser(store, nameOf(fields));
  if (user === undefined) throw refuseWrapped('username does not exist', 500, 'no-user');
  return user;
}

async function writePassword(context: Context): Promise<undefined> {
  const user = userThere(context);
  const password = await hashPassword(readPassword(context.fields, true));
  putUser(context.store, nameOf(context.fields), { ...user, password });
}

function writePolicies(context: Context): undefined {
  const user = userThere(context);
  const tokens = readRoleTokens(context.fields, user.tokens, legacy);
  putUser(context.store, nameOf(context.fields), { ...user, tokens });
}

function list({ store }: Context): Result | undefined {
  const keys = listUsers(store);
  return keys.length === 0 ? undefined : { data: { keys } };
}
