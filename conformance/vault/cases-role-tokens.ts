import type { Case, Expected, Step } from './case.ts';
import { clusterSetup } from './cases-seed.ts';
import { ask, enable, login, read, refused, write } from './steps.ts';

/** How a role of one auth method is made and used, so that its `token_…` fields can be put on it. */
export interface RoleMethod {
  readonly name: string;
  readonly setup: readonly Step[];
  readonly role: string;
  readonly body: object;
  readonly login: string;
  readonly credentials: object;
  /** What a login from an address that the role is not bound to gets; undefined where only the token is bound. */
  readonly strange: { readonly status: number; readonly text: string } | undefined;
}

const denied = { status: 403, text: 'permission denied' } as const;

const methods: readonly RoleMethod[] = [
  {
    name: 'kubernetes',
    setup: clusterSetup('f{{id}}'),
    role: 'auth/kubernetes-f{{id}}/role/r',
    body: { bound_service_account_names: 'istiod', bound_service_account_namespaces: 'istio-system' },
    login: 'auth/kubernetes-f{{id}}/login',
    credentials: { role: 'r', jwt: '{{jwt_istiod}}' },
    strange: denied,
  },
  {
    name: 'jwt',
    setup: [
      enable('jwt-f{{id}}', 'jwt'),
      write('auth/jwt-f{{id}}/config', { jwt_validation_pubkeys: ['{{signer_pem}}'] }),
    ],
    role: 'auth/jwt-f{{id}}/role/r',
    body: { role_type: 'jwt', user_claim: 'sub', bound_audiences: 'vault' },
    login: 'auth/jwt-f{{id}}/login',
    credentials: { role: 'r', jwt: '{{signed}}' },
    strange: denied,
  },
  {
    name: 'approle',
    setup: [enable('approle-f{{id}}', 'approle')],
    role: 'auth/approle-f{{id}}/role/r',
    body: { role_id: 'known-{{id}}', bind_secret_id: false, secret_id_bound_cidrs: '127.0.0.0/8' },
    login: 'auth/approle-f{{id}}/login',
    credentials: { role_id: 'known-{{id}}' },
    strange: undefined,
  },
  {
    name: 'userpass',
    setup: [enable('userpass-f{{id}}', 'userpass')],
    role: 'auth/userpass-f{{id}}/users/r',
    body: { password: 'correct horse' },
    login: 'auth/userpass-f{{id}}/login/r',
    credentials: { password: 'correct horse' },
    strange: denied,
  },
];

const self = 'auth/token/lookup-self';
const renewSelf = (body: object, more: Partial<Step>): Step =>
  write('auth/token/renew-self', body, { as: 'user', ...more });

/** A role with these fields (they are read back), and what its token is like. */
const made = (method: RoleMethod, fields: Expected, auth: Expected, shown: Expected = {}): Step[] => [
  write(method.role, { ...method.body, ...fields }),
  read(method.role, fields),
  login(method.login, method.credentials, 'user', auth),
  read(self, shown, { as: 'user' }),
];

interface FieldCase {
  readonly name: string;
  readonly steps: (method: RoleMethod) => readonly Step[];
}

const fieldCases: readonly FieldCase[] = [
  {
    name: 'token_policies and token_ttl',
    steps: (method) =>
      made(
        method,
        { token_policies: ['a', 'b'], token_ttl: 600 },
        { policies: ['a', 'b', 'default'], token_policies: ['a', 'b', 'default'], lease_duration: 600 },
        {
          policies: ['a', 'b', 'default'],
          creation_ttl: 600,
          explicit_max_ttl: 0,
          orphan: true,
          num_uses: 0,
        },
      ),
  },
  {
    name: 'token_max_ttl bounds a renewal',
    steps: (method) => [
      ...made(method, { token_ttl: 600, token_max_ttl: 1200 }, { lease_duration: 600, renewable: true }),
      renewSelf(
        { increment: '2h' },
        {
          status: 200,
          body_has: {
            auth: { lease_duration: (ttl: unknown) => typeof ttl === 'number' && ttl > 1100 && ttl <= 1200 },
          },
        },
      ),
    ],
  },
  {
    name: 'token_explicit_max_ttl ends a token whatever its ttl',
    steps: (method) =>
      made(
        method,
        { token_ttl: 600, token_explicit_max_ttl: 300 },
        { lease_duration: 300 },
        { explicit_max_ttl: 300, creation_ttl: 300 },
      ),
  },
  {
    name: 'token_period is what each renewal gives',
    steps: (method) => [
      ...made(method, { token_period: 900 }, { lease_duration: 900 }, { period: 900 }),
      renewSelf({ increment: '2h' }, { status: 200, body_has: { auth: { lease_duration: 900 } } }),
    ],
  },
  {
    name: 'token_num_uses',
    steps: (method) => [
      write(method.role, { ...method.body, token_num_uses: 2 }),
      read(method.role, { token_num_uses: 2 }),
      login(method.login, method.credentials, 'user', { num_uses: 2 }),
      read(self, { num_uses: 1 }, { as: 'user' }),
      read(self, {}, { as: 'user' }),
      ask('GET', self, undefined, { as: 'user', status: 403, errors: ['permission denied'] }),
    ],
  },
  {
    name: 'token_no_default_policy',
    steps: (method) => [
      write(method.role, { ...method.body, token_policies: ['only'], token_no_default_policy: true }),
      read(method.role, { token_no_default_policy: true }),
      login(method.login, method.credentials, 'user', { policies: ['only'], token_policies: ['only'] }),
    ],
  },
  {
    name: 'token_type',
    steps: (method) => [
      ...made(method, { token_type: 'service' }, { token_type: 'service' }, { type: 'service' }),
      ...made(
        method,
        { token_type: 'batch', token_ttl: 600 },
        { token_type: 'batch', accessor: '', renewable: false, lease_duration: 600 },
        { type: 'batch', orphan: true },
      ),
      renewSelf({}, { status: 400, errors: ['batch tokens cannot be renewed'] }),
      write(method.role, { ...method.body, token_type: 'default' }),
      login(method.login, method.credentials, 'user', { token_type: 'service' }),
    ],
  },
  {
    name: 'token_bound_cidrs',
    steps: (method) => [
      ...made(method, { token_bound_cidrs: ['127.0.0.0/8'] }, {}, { bound_cidrs: ['127.0.0.0/8'] }),
      write(method.role, { ...method.body, token_bound_cidrs: '10.1.2.3' }),
      read(method.role, { token_bound_cidrs: ['10.1.2.3'] }),
      ...(method.strange === undefined
        ? [
            login(method.login, method.credentials, 'away'),
            ask('GET', self, undefined, { as: 'away', status: 403, errors: ['permission denied'] }),
          ]
        : [
            refused(method.login, method.credentials, method.strange.status, method.strange.text, {
              as: 'none',
            }),
          ]),
    ],
  },
  {
    name: 'what contradicts itself is refused',
    steps: (method) => [
      refused(
        method.role,
        { ...method.body, token_ttl: '2h', token_max_ttl: '1h' },
        400,
        "'token_ttl' cannot be greater than 'token_max_ttl'",
      ),
      refused(method.role, { ...method.body, token_type: 'zz' }, 400, `invalid 'token_type' value "zz"`),
      refused(
        method.role,
        { ...method.body, token_num_uses: -1 },
        400,
        "'token_num_uses' cannot be negative",
      ),
    ],
  },
];

/** Every `token_…` field on a role of one method. */
export const roleTokenCasesOf = (method: RoleMethod): readonly Case[] =>
  fieldCases.map(({ name, steps }) => ({
    name: `role tokens, ${method.name}: ${name}`,
    steps: [...method.setup, ...steps(method)],
  }));

export const roleTokenCases: readonly Case[] = methods.flatMap(roleTokenCasesOf);
