import { type Case, wrapped } from './case.ts';
import { ask, enable, login, missing, read, refused, write } from './steps.ts';

const at = 'auth/ar{{id}}';
const role = `${at}/role/r1`;
const setup = (body: object = { token_policies: 'a' }) => [enable('ar{{id}}', 'approle'), write(role, body)];
const roleId = ask('GET', `${role}/role-id`, undefined, { save: { role_id: 'data.role_id' } });
const secretId = (body: object = {}) =>
  write(`${role}/secret-id`, body, {
    status: 200,
    save: { secret_id: 'data.secret_id', accessor: 'data.secret_id_accessor' },
  });
const both = { role_id: '{{role_id}}', secret_id: '{{secret_id}}' };
const none = '0001-01-01T00:00:00Z';
const isTime = (value: unknown): boolean => typeof value === 'string' && /^20\d\d-.*Z$/.test(value);
const anonymous = { as: 'none' } as const;

const roles: readonly Case[] = [
  {
    name: 'approle: a role with its defaults, its legacy fields echoed',
    steps: [
      ...setup({ token_policies: 'a', period: '1h' }),
      read(`${at}/role/R1`, {
        bind_secret_id: true,
        local_secret_ids: false,
        period: 3600,
        secret_id_bound_cidrs: null,
        secret_id_num_uses: 0,
        secret_id_ttl: 0,
        token_bound_cidrs: [],
        token_explicit_max_ttl: 0,
        token_max_ttl: 0,
        token_no_default_policy: false,
        token_num_uses: 0,
        token_period: 3600,
        token_policies: ['a'],
        token_strictly_bind_ip: false,
        token_ttl: 0,
        token_type: 'default',
      }),
      read(`${at}/role`, { keys: ['r1'] }, { method: 'LIST' }),
      write(role, { token_period: '2h' }),
      read(role, { token_period: 7200, period: undefined }),
      ask('DELETE', role),
      missing(role),
      missing(`${at}/role`, 'LIST'),
      ask('DELETE', role),
    ],
  },
  {
    name: 'approle: a wrong role is refused in the same words',
    steps: [
      ...setup(),
      roleId,
      refused(
        `${at}/role/r2`,
        { bind_secret_id: false },
        500,
        wrapped('at least one constraint should be enabled on the role'),
      ),
      refused(
        `${at}/role/r2`,
        { role_id: '' },
        400,
        'invalid role_id supplied, or failed to generate a role_id',
      ),
      refused(`${at}/role/r2`, { role_id: '{{role_id}}' }, 500, wrapped('role_id already in use')),
      refused(
        `${at}/role/r2`,
        { secret_id_bound_cidrs: 'x' },
        500,
        wrapped('failed to validate CIDR blocks: invalid CIDR address: x'),
      ),
      refused(`${at}/role/r2`, { secret_id_num_uses: -1 }, 400, 'secret_id_num_uses cannot be negative'),
      refused(
        `${at}/role/r2`,
        { period: '10000h' },
        400,
        `period of "10000h0m0s" is greater than the backend's maximum lease TTL of "768h0m0s"`,
      ),
      refused(
        role,
        { local_secret_ids: true },
        400,
        'local_secret_ids can only be modified during role creation',
      ),
      refused(
        role,
        { token_ttl: '2h', token_max_ttl: '1h' },
        400,
        "'token_ttl' cannot be greater than 'token_max_ttl'",
      ),
      refused(role, { token_type: 'x' }, 400, `invalid 'token_type' value "x"`),
      write(
        role,
        { token_type: 'default-service' },
        {
          status: 200,
          body_has: { warnings: ['default-service has no useful meaning; adjusting to service'] },
        },
      ),
      write(
        role,
        { token_max_ttl: '10000h' },
        {
          status: 200,
          body_has: {
            warnings: [
              "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be truncated",
            ],
          },
        },
      ),
    ],
  },
  {
    name: 'approle: each field of a role has a path of its own',
    steps: [
      ...setup({ token_policies: 'a', period: '1h' }),
      read(`${role}/policies`, { token_policies: ['a'] }),
      write(`${role}/policies`, { policies: 'b,C' }),
      read(`${role}/policies`, { token_policies: ['b', 'c'], policies: ['b', 'c'] }),
      ask('DELETE', `${role}/policies`),
      read(`${role}/policies`, { token_policies: [] }),
      read(`${role}/period`, { period: 3600, token_period: 3600 }),
      ask('DELETE', `${role}/period`),
      read(`${role}/period`, { token_period: 0 }),
      ...(
        [
          ['token-ttl', 'token_ttl', '10m', 600],
          ['token-max-ttl', 'token_max_ttl', '1h', 3600],
          ['token-num-uses', 'token_num_uses', '3', 3],
          ['secret-id-ttl', 'secret_id_ttl', 60, 60],
          ['secret-id-num-uses', 'secret_id_num_uses', 5, 5],
        ] as const
      ).flatMap(([path, field, sent, stored]) => [
        read(`${role}/${path}`, { [field]: 0 }),
        refused(`${role}/${path}`, {}, 400, `missing ${field}`),
        write(`${role}/${path}`, { [field]: sent }),
        read(`${role}/${path}`, { [field]: stored }),
        missing(`${at}/role/none/${path}`),
        refused(`${at}/role/none/${path}`, { [field]: sent }, 404, wrapped('unsupported path')),
      ]),
      refused(
        `${role}/token-ttl`,
        { token_ttl: '2h' },
        400,
        'token_ttl should not be greater than token_max_ttl',
      ),
      refused(
        `${role}/token-max-ttl`,
        { token_max_ttl: '1m' },
        400,
        'token_max_ttl should be greater than or equal to token_ttl',
      ),
      ask('DELETE', `${role}/token-ttl`),
      read(`${role}/token-ttl`, { token_ttl: 0 }),
      write(`${role}/token-bound-cidrs`, { token_bound_cidrs: '127.0.0.0/8' }),
      read(role, { token_bound_cidrs: ['127.0.0.0/8'] }),
      write(`${role}/secret-id-bound-cidrs`, { secret_id_bound_cidrs: ['127.0.0.0/8'] }),
      read(`${role}/secret-id-bound-cidrs`, { secret_id_bound_cidrs: ['127.0.0.0/8'] }),
      read(`${role}/local-secret-ids`, { local_secret_ids: false }),
      write(`${role}/bind-secret-id`, { bind_secret_id: 'false' }),
      read(`${role}/bind-secret-id`, { bind_secret_id: false }),
      ask('DELETE', `${role}/bind-secret-id`),
      read(`${role}/bind-secret-id`, { bind_secret_id: true }),
    ],
  },
];

const secretIds: readonly Case[] = [
  {
    name: 'approle: secret ids are made, shown and ended, by themselves and by accessor',
    steps: [
      ...setup(),
      secretId({ metadata: '{"a":"b"}', ttl: '1h' }),
      write(
        `${role}/secret-id/lookup`,
        { secret_id: '{{secret_id}}' },
        {
          status: 200,
          body_has: {
            data: {
              cidr_list: [],
              creation_time: isTime,
              expiration_time: isTime,
              last_updated_time: isTime,
              metadata: { a: 'b' },
              secret_id_accessor: '{{accessor}}',
              secret_id_num_uses: 0,
              secret_id_ttl: 3600,
              token_bound_cidrs: [],
            },
          },
        },
      ),
      read(`${role}/secret-id`, { keys: ['{{accessor}}'] }, { method: 'LIST' }),
      write(
        `${role}/secret-id-accessor/lookup`,
        { secret_id_accessor: '{{accessor}}' },
        {
          status: 200,
          body_has: { data: { secret_id_accessor: '{{accessor}}' } },
        },
      ),
      write(`${role}/secret-id-accessor/destroy`, { secret_id_accessor: '{{accessor}}' }),
      write(`${role}/secret-id/lookup`, { secret_id: '{{secret_id}}' }),
      missing(`${role}/secret-id`, 'LIST'),
      secretId(),
      write(`${role}/secret-id/destroy`, { secret_id: '{{secret_id}}' }),
      write(`${role}/secret-id/destroy`, { secret_id: '{{secret_id}}' }),
      write(
        `${role}/custom-secret-id`,
        { secret_id: 'own', num_uses: 2 },
        {
          status: 200,
          body_has: { data: { secret_id: 'own', secret_id_num_uses: 2, secret_id_ttl: 0 } },
        },
      ),
      refused(
        `${role}/custom-secret-id`,
        { secret_id: 'own' },
        500,
        wrapped('failed to store secret_id: SecretID is already registered'),
      ),
      write(
        `${role}/secret-id/lookup`,
        { secret_id: 'own' },
        {
          status: 200,
          body_has: { data: { expiration_time: none, secret_id_num_uses: 2 } },
        },
      ),
    ],
  },
  {
    name: 'approle: secret ids that cannot be made or found',
    steps: [
      ...setup({ secret_id_num_uses: 3, secret_id_ttl: '1h' }),
      refused(`${at}/role/none/secret-id`, {}, 404, 'role "none" does not exist'),
      refused(
        `${at}/role/none/secret-id/lookup`,
        { secret_id: 'x' },
        500,
        wrapped('role "none" does not exist'),
      ),
      ask('LIST', `${at}/role/none/secret-id`, undefined, {
        status: 400,
        errors: ['role "none" does not exist'],
      }),
      refused(`${role}/secret-id/lookup`, {}, 400, 'missing secret_id'),
      refused(`${role}/custom-secret-id`, {}, 400, 'missing secret_id'),
      refused(
        `${role}/secret-id`,
        { num_uses: 4 },
        400,
        "num_uses cannot be higher than the role's secret_id_num_uses",
      ),
      refused(`${role}/secret-id`, { num_uses: -1 }, 400, 'num_uses cannot be negative'),
      refused(`${role}/secret-id`, { ttl: '2h' }, 400, "ttl cannot be longer than the role's secret_id_ttl"),
      refused(
        `${role}/secret-id`,
        { cidr_list: 'x' },
        500,
        wrapped('failed to validate CIDR blocks: invalid CIDR address: x'),
      ),
      refused(`${role}/secret-id-accessor/lookup`, {}, 400, 'missing secret_id_accessor'),
      write(
        `${role}/secret-id-accessor/lookup`,
        { secret_id_accessor: 'zz' },
        {
          status: 404,
          body_has: { data: { error: 'failed to find accessor entry for secret_id_accessor: "zz"' } },
        },
      ),
      refused(
        `${role}/secret-id-accessor/destroy`,
        { secret_id_accessor: 'zz' },
        500,
        wrapped('failed to find accessor entry for secret_id_accessor: "zz"'),
      ),
      write(`${at}/tidy/secret-id`, {}, { status: 202 }),
    ],
  },
];

const logins: readonly Case[] = [
  {
    name: 'approle: a role id and a secret id for a token that can be renewed',
    steps: [
      ...setup({ token_policies: 'a', token_ttl: '10m', token_max_ttl: '1h' }),
      roleId,
      secretId({ metadata: '{"team":"x"}' }),
      login(`${at}/login`, both, 'user', {
        policies: ['a', 'default'],
        token_policies: ['a', 'default'],
        metadata: { role_name: 'r1', team: 'x' },
        lease_duration: 600,
        renewable: true,
        orphan: true,
        token_type: 'service',
        num_uses: 0,
        entity_id: (id: unknown) => typeof id === 'string' && id.length === 36,
      }),
      read(
        'auth/token/lookup-self',
        { display_name: 'ar{{id}}', path: `${at}/login`, role: undefined },
        { as: 'user' },
      ),
      ask('PUT', 'auth/token/renew-self', { increment: 7200 }, { as: 'user', status: 200 }),
      ask('DELETE', role),
      ask(
        'PUT',
        'auth/token/renew-self',
        {},
        {
          as: 'user',
          status: 500,
          errors: [wrapped('failed to renew entry: role "r1" does not exist during renewal')],
        },
      ),
    ],
  },
  {
    name: 'approle: logins that are refused',
    steps: [
      ...setup(),
      roleId,
      secretId(),
      refused(`${at}/login`, {}, 500, 'missing role_id', anonymous),
      refused(`${at}/login`, { role_id: '{{role_id}}' }, 400, 'missing secret_id', anonymous),
      refused(`${at}/login`, { role_id: 'x', secret_id: 'y' }, 400, 'invalid role or secret ID', anonymous),
      refused(
        `${at}/login`,
        { role_id: '{{role_id}}', secret_id: 'y' },
        400,
        'invalid role or secret ID',
        anonymous,
      ),
      write(role, { token_policies: 'root' }),
      refused(`${at}/login`, both, 400, 'auth methods cannot create root tokens', anonymous),
    ],
  },
  {
    name: 'approle: a secret id that may be used twice, a role without secret ids, a batch token',
    steps: [
      ...setup({ token_policies: 'a', token_num_uses: 5 }),
      roleId,
      secretId({ num_uses: 2 }),
      login(`${at}/login`, both, 'user', { num_uses: 5 }),
      login(`${at}/login`, both, 'user'),
      refused(`${at}/login`, both, 400, 'invalid role or secret ID', anonymous),
      secretId({ cidr_list: '10.0.0.0/8' }),
      refused(
        `${at}/login`,
        both,
        400,
        'source address "127.0.0.1" unauthorized through CIDR restrictions on the secret ID',
        anonymous,
      ),
      write(role, {
        bind_secret_id: false,
        token_bound_cidrs: '127.0.0.1/32',
        token_num_uses: 0,
        token_type: 'batch',
      }),
      login(`${at}/login`, { role_id: '{{role_id}}' }, 'batch', {
        token_type: 'batch',
        renewable: false,
        accessor: '',
      }),
      read('auth/token/lookup-self', { type: 'batch', bound_cidrs: ['127.0.0.1'] }, { as: 'batch' }),
    ],
  },
  {
    name: 'approle: five wrong secret ids lock the role id, and nothing says so',
    steps: [
      ...setup(),
      roleId,
      secretId(),
      ...Array.from({ length: 5 }, () =>
        refused(
          `${at}/login`,
          { role_id: '{{role_id}}', secret_id: 'wrong' },
          400,
          'invalid role or secret ID',
          anonymous,
        ),
      ),
      refused(`${at}/login`, both, 403, 'permission denied', anonymous),
    ],
  },
];

export const approleCases: readonly Case[] = [...roles, ...secretIds, ...logins];
