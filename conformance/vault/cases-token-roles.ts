import { type Case, wrapped } from './case.ts';
import { ask, missing, read, refused, write } from './steps.ts';

const role = 'auth/token/roles/r{{id}}';
const against = 'auth/token/create/r{{id}}';
const make = (path: string, body: object, auth: object, as = 'user') =>
  write(path, body, {
    status: 200,
    save: { [as]: 'auth.client_token', [`${as}_accessor`]: 'auth.accessor' },
    body_has: { auth },
  });
const create = 'auth/token/create';
const batch = make(
  create,
  { policies: 'default', type: 'batch', ttl: '1h' },
  {
    token_type: 'batch',
    accessor: '',
    renewable: false,
    orphan: false,
    lease_duration: 3600,
  },
  'batch',
);

const rolesCases: readonly Case[] = [
  {
    name: 'token roles: written, read with defaults, listed and deleted',
    steps: [
      write(role, { allowed_policies: 'a,B,default', orphan: true, period: '1h', path_suffix: 'v1.0' }),
      read(role, {
        allowed_entity_aliases: null,
        allowed_policies: ['a', 'b', 'default'],
        allowed_policies_glob: [],
        disallowed_policies: [],
        disallowed_policies_glob: [],
        explicit_max_ttl: 0,
        name: 'r{{id}}',
        orphan: true,
        path_suffix: 'v1.0',
        period: 3600,
        renewable: true,
        token_explicit_max_ttl: 0,
        token_no_default_policy: false,
        token_period: 3600,
        token_type: 'default-service',
        token_bound_cidrs: undefined,
        token_num_uses: undefined,
      }),
      ask('LIST', 'auth/token/roles'),
      make(against, { policies: 'a' }, { policies: ['a', 'default'], orphan: true, lease_duration: 3600 }),
      read('auth/token/lookup-self', { role: 'r{{id}}', path: `${against}/v1.0` }, { as: 'user' }),
      refused(
        against,
        { policies: 'zz' },
        400,
        `token policies (["default" "zz"]) must be subset of the role's allowed policies (["a" "b" "default"]) or glob policies ([])`,
      ),
      make(against, {}, { policies: ['a', 'b', 'default'] }, 'other'),
      ask('DELETE', role),
      missing(role),
      refused(against, {}, 400, 'unknown role r{{id}}'),
      ask(
        'PUT',
        'auth/token/renew-self',
        {},
        {
          as: 'user',
          status: 500,
          errors: [
            wrapped('failed to renew entry: original token role "r{{id}}" could not be found, not renewing'),
          ],
        },
      ),
    ],
  },
  {
    name: 'token roles: wrong ones are refused in the same words',
    steps: [
      refused(
        role,
        { token_type: 'batch' },
        400,
        "'token_type' cannot be 'batch' when role is set to generate non-orphan tokens",
      ),
      refused(
        role,
        { token_type: 'batch', orphan: true },
        400,
        "'token_type' cannot be 'batch' when role is set to generate renewable tokens",
      ),
      refused(
        role,
        { token_type: 'batch', orphan: true, period: '1h' },
        400,
        "'token_type' cannot be 'batch' when role is set to generate periodic tokens",
      ),
      refused(role, { token_type: 'zz' }, 400, `invalid 'token_type' value "zz"`),
      refused(
        role,
        { path_suffix: 'a b' },
        400,
        'given role path suffix contains invalid characters; must match \\w[\\w-.]+\\w',
      ),
      write(
        role,
        { token_explicit_max_ttl: '1h', explicit_max_ttl: '2h' },
        {
          status: 200,
          body_has: {
            warnings: [
              "Both 'token_explicit_max_ttl' and deprecated 'explicit_max_ttl' value supplied, ignoring the deprecated value",
            ],
          },
        },
      ),
      read(role, { explicit_max_ttl: 0, token_explicit_max_ttl: 3600 }),
    ],
  },
  {
    name: 'token roles: disallowed and glob policies, uses, addresses, entity aliases',
    steps: [
      write(role, {
        disallowed_policies: 'bad',
        disallowed_policies_glob: 'evil*',
        token_type: 'default-batch',
      }),
      refused(against, { policies: 'bad' }, 400, 'token policy "bad" is disallowed by this role'),
      refused(against, { policies: 'evil1' }, 400, 'token policy "evil1" is disallowed by this role'),
      refused(against, { policies: 'root' }, 400, 'batch tokens cannot be root tokens'),
      ask('DELETE', role),
      write(role, {
        allowed_policies_glob: 'g*',
        token_explicit_max_ttl: '1h',
        token_bound_cidrs: '127.0.0.1',
        token_num_uses: 3,
        allowed_entity_aliases: 'A,b*',
      }),
      make(
        against,
        { policies: 'g1', num_uses: 9 },
        { num_uses: 3, lease_duration: 3600, policies: ['default', 'g1'] },
      ),
      refused(
        against,
        { policies: 'x' },
        400,
        `token policies (["default" "x"]) must be subset of the role's allowed policies (["default"]) or glob policies (["g*"])`,
      ),
      refused(against, { policies: 'g1', entity_alias: 'zz' }, 400, "invalid 'entity_alias' value"),
      refused(
        create,
        { entity_alias: 'a' },
        400,
        "'entity_alias' is only allowed in combination with token role",
      ),
      make(
        against,
        { policies: 'g1', entity_alias: 'B-{{id}}', period: '1m' },
        {
          lease_duration: 60,
          entity_id: (id: unknown) => typeof id === 'string' && id.length === 36,
        },
      ),
    ],
  },
  {
    name: 'token roles: a batch role makes batch tokens, a role without renewal none that can be renewed',
    steps: [
      write(role, { token_type: 'batch', orphan: true, renewable: false }),
      make(against, { policies: 'x' }, { token_type: 'batch', orphan: true, renewable: false }),
      write(role, { token_type: 'service' }),
      make(against, { policies: 'default' }, { token_type: 'service', renewable: false }),
      ask(
        'PUT',
        'auth/token/renew-self',
        {},
        { as: 'user', status: 400, errors: ['lease is not renewable'] },
      ),
    ],
  },
];

const others: readonly Case[] = [
  {
    name: 'token: batch tokens live by themselves and are refused what needs a store',
    steps: [
      batch,
      read(
        'auth/token/lookup-self',
        { type: 'batch', accessor: '', renewable: false, creation_ttl: 3600, num_uses: 0, orphan: false },
        { as: 'batch' },
      ),
      ask(
        'PUT',
        'auth/token/renew-self',
        {},
        { as: 'batch', status: 400, errors: ['batch tokens cannot be renewed'] },
      ),
      ask(
        'PUT',
        'auth/token/revoke-self',
        {},
        { as: 'batch', status: 400, errors: ['batch tokens cannot be revoked'] },
      ),
      refused('auth/token/renew', { token: '{{batch}}' }, 400, 'batch tokens cannot be renewed'),
      refused('auth/token/revoke', { token: '{{batch}}' }, 400, 'batch tokens cannot be revoked'),
      refused('auth/token/revoke-orphan', { token: '{{batch}}' }, 400, 'batch tokens cannot be revoked'),
      refused(
        'cubbyhole/x',
        { a: 'b' },
        400,
        "cubbyhole operations are only supported by 'service' type tokens",
        { as: 'batch' },
      ),
      refused(
        create,
        { type: 'batch', policies: 'a', num_uses: 1 },
        400,
        'batch tokens cannot have "num_uses" set',
      ),
      refused(
        create,
        { type: 'batch', policies: 'a', period: '1h' },
        400,
        'batch tokens cannot have "period" set',
      ),
      refused(
        create,
        { type: 'batch', policies: 'a', explicit_max_ttl: '1h' },
        400,
        'batch tokens cannot have "explicit_max_ttl" set',
      ),
      refused(create, { type: 'batch' }, 400, 'batch tokens cannot be root tokens'),
      refused(create, { type: 'zz' }, 400, "invalid 'token_type' value"),
    ],
  },
  {
    name: 'token: a batch token ends with its parent and at its time, and makes no others',
    steps: [
      write('sys/policies/acl/tc{{id}}', {
        policy: 'path "auth/token/create" { capabilities = ["update"] }',
      }),
      make(create, { policies: 'tc{{id}}' }, {}, 'parent'),
      { ...batch, as: 'parent', body: { type: 'batch', ttl: '1h' } },
      refused(create, {}, 400, 'batch tokens cannot create more tokens', { as: 'batch' }),
      write('auth/token/revoke', { token: '{{parent}}' }),
      ask('GET', 'auth/token/lookup-self', undefined, {
        as: 'batch',
        status: 403,
        errors: ['permission denied'],
        after: 100,
      }),
      make(create, { type: 'batch', policies: 'default', ttl: '1s' }, {}, 'short'),
      ask('GET', 'auth/token/lookup-self', undefined, {
        as: 'short',
        status: 403,
        errors: ['permission denied'],
        after: 1200,
      }),
    ],
  },
  {
    name: 'token: creation that is refused',
    steps: [
      refused(create, { num_uses: -1 }, 400, 'number of uses cannot be negative'),
      refused(create, { ttl: 'x' }, 400, 'time: invalid duration "x"'),
      refused(create, { period: 'x' }, 400, 'time: invalid duration "x"'),
      refused(create, { explicit_max_ttl: 'x' }, 400, 'time: invalid duration "x"'),
      refused(create, { ttl: '-1s' }, 400, 'ttl must be positive'),
      refused(create, { id: 's.abc' }, 400, "custom token ID cannot have the 's.' prefix"),
      refused(create, { id: 'a.b' }, 400, "custom token ID cannot have a '.' in the value"),
      write(
        create,
        { id: 'own{{id}}', policies: 'nosuch{{id}}', ttl: '2000h' },
        {
          status: 200,
          body_has: {
            warnings: (all: unknown) =>
              Array.isArray(all) &&
              all.includes(
                'TTL of "2000h" exceeded the effective max_ttl of "768h"; TTL value is capped accordingly',
              ) &&
              all.some((text) => String(text).startsWith('Policy "nosuch')),
          },
        },
      ),
      refused(create, { id: 'own{{id}}' }, 400, 'cannot create a token with a duplicate ID'),
      make(create, { policies: 'default', num_uses: 3 }, { num_uses: 3 }, 'few'),
      ask('POST', create, {}, { as: 'few', status: 403 }),
      make(create, { ttl: '1h' }, { policies: ['root'], renewable: true, lease_duration: 3600 }, 'root2'),
      refused(create, {}, 400, 'expiring root tokens cannot create non-expiring root tokens', {
        as: 'root2',
      }),
      make(create, { policies: 'a', no_default_policy: true }, { policies: ['a'] }),
    ],
  },
  {
    name: 'token: renewing what has no end, what is gone and what says so',
    steps: [
      refused('auth/token/renew', {}, 400, 'missing token ID'),
      refused('auth/token/renew-accessor', { accessor: 'zz' }, 400, wrapped('invalid accessor')),
      refused('auth/token/renew-accessor', {}, 400, wrapped('missing accessor')),
      refused('auth/token/lookup-accessor', {}, 400, wrapped('missing accessor')),
      refused('auth/token/revoke-accessor', {}, 400, wrapped('missing accessor')),
      write(
        'auth/token/revoke-accessor',
        { accessor: 'zz' },
        { status: 200, body_has: { warnings: ['No token found with this accessor'] } },
      ),
      refused('auth/token/revoke-orphan', { token: 'zz' }, 400, 'token to revoke not found'),
      write('auth/token/tidy', {}, { status: 202 }),
      make(create, { policies: 'default', renewable: false }, { renewable: false }),
      refused('auth/token/renew', { token: '{{user}}' }, 400, 'lease is not renewable'),
      make(create, { policies: 'default', period: '1h' }, { lease_duration: 3600 }, 'periodic'),
      ask(
        'PUT',
        'auth/token/renew-self',
        { increment: '5h' },
        { as: 'periodic', status: 200, body_has: { auth: { lease_duration: 3600 } } },
      ),
      write(
        'auth/token/renew-accessor',
        { accessor: '{{periodic_accessor}}' },
        { status: 200, body_has: { auth: { client_token: '', lease_duration: 3600 } } },
      ),
    ],
  },
  {
    name: 'token: an orphaned child outlives its parent',
    steps: [
      write('sys/policies/acl/tc{{id}}', {
        policy: 'path "auth/token/create*" { capabilities = ["update", "sudo"] }',
      }),
      make(create, { policies: 'tc{{id}}' }, {}, 'parent'),
      { ...make(create, {}, { orphan: false }, 'child'), as: 'parent' },
      { ...make('auth/token/create-orphan', {}, { orphan: true }, 'orphan'), as: 'parent' },
      write('auth/token/revoke-orphan', { token: '{{parent}}' }),
      ask('GET', 'auth/token/lookup-self', undefined, { as: 'parent', status: 403, after: 100 }),
      read('auth/token/lookup-self', { orphan: true }, { as: 'child' }),
      read('auth/token/lookup-self', { orphan: true }, { as: 'orphan' }),
    ],
  },
];

export const tokenRoleCases: readonly Case[] = [...rolesCases, ...others];
