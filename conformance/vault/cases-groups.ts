import type { Case } from './case.ts';
import { ask, enable, login, missing, read, refused, write } from './steps.ts';

const group = (body: object, as: string) =>
  write('identity/group', body, { status: 200, save: { [as]: 'data.id' } });
const entity = write('identity/entity', { name: 'ann{{id}}' }, { status: 200, save: { ann: 'data.id' } });
const user = [
  enable('up{{id}}', 'userpass'),
  write('auth/up{{id}}/users/ann', { password: 'correct horse' }),
  ask('GET', 'sys/auth/up{{id}}', undefined, { save: { mount: 'accessor' } }),
  entity,
  write(
    'identity/entity-alias',
    { name: 'ann', canonical_id: '{{ann}}', mount_accessor: '{{mount}}' },
    { status: 200 },
  ),
];
const enter = (policies: readonly string[] | undefined) =>
  login('auth/up{{id}}/login/ann', { password: 'correct horse' }, 'user', { identity_policies: policies });
const provider = [
  enable('jwt{{id}}', 'jwt'),
  write('auth/jwt{{id}}/config', { jwt_validation_pubkeys: ['{{signer_pem}}'] }),
  write('auth/jwt{{id}}/role/r', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: 'vault',
    groups_claim: 'roles',
  }),
  ask('GET', 'sys/auth/jwt{{id}}', undefined, { save: { mount: 'accessor' } }),
];
const byToken = (policies: readonly string[] | undefined) =>
  login('auth/jwt{{id}}/login', { role: 'r', jwt: '{{signed}}' }, 'user', { identity_policies: policies });

export const groupCases: readonly Case[] = [
  {
    name: 'groups: made, read, looked up, listed and deleted',
    steps: [
      refused('identity/group', { policies: 'root' }, 400, 'policies cannot contain root'),
      refused('identity/group', { type: 'zz' }, 400, 'invalid group type "zz"'),
      entity,
      group({ name: 'g{{id}}', policies: 'B,a', metadata: { k: 'v' }, member_entity_ids: '{{ann}}' }, 'one'),
      read('identity/group/id/{{one}}', {
        alias: {},
        member_entity_ids: ['{{ann}}'],
        member_group_ids: (ids: unknown) => ids === null || (Array.isArray(ids) && ids.length === 0),
        metadata: { k: 'v' },
        name: 'g{{id}}',
        namespace_id: 'root',
        type: 'internal',
      }),
      read('identity/entity/id/{{ann}}', {
        direct_group_ids: ['{{one}}'],
        group_ids: ['{{one}}'],
        inherited_group_ids: [],
      }),
      write(
        'identity/lookup/group',
        { name: 'g{{id}}' },
        { status: 200, body_has: { data: { id: '{{one}}' } } },
      ),
      ask('LIST', 'identity/group/id', undefined, {
        body_has: { data: { key_info: { '{{one}}': { name: 'g{{id}}', num_member_entities: 1 } } } },
      }),
      ask('LIST', 'identity/group/name'),
      refused('identity/group/id/{{one}}', { type: 'external' }, 400, 'group type cannot be changed'),
      refused('identity/group/id/none', {}, 400, 'invalid group ID'),
      ask('DELETE', 'identity/group/name/g{{id}}'),
      missing('identity/group/id/{{one}}'),
      read('identity/entity/id/{{ann}}', { group_ids: [] }),
    ],
  },
  {
    name: 'groups: their policies reach members, also through a group of groups, and templates know them',
    steps: [
      ...user,
      write('sys/policies/acl/inner{{id}}', {
        policy:
          'path "kv{{id}}/{{identity.groups.names.in{{id}}.metadata.team}}/*" { capabilities = ["read"] }',
      }),
      write('sys/mounts/kv{{id}}', { type: 'kv' }),
      write('kv{{id}}/red/x', { a: 1 }),
      write('kv{{id}}/blue/x', { a: 1 }),
      enter(undefined),
      group(
        {
          name: 'in{{id}}',
          policies: 'inner{{id}}',
          metadata: { team: 'red' },
          member_entity_ids: ['{{ann}}'],
        },
        'inner',
      ),
      ask('GET', 'kv{{id}}/red/x', undefined, { as: 'user' }),
      ask('GET', 'kv{{id}}/blue/x', undefined, { as: 'user', status: 403 }),
      group({ name: 'out{{id}}', policies: 'outer', member_group_ids: ['{{inner}}'] }, 'outer'),
      enter(['inner{{id}}', 'outer']),
      read('identity/entity/id/{{ann}}', { inherited_group_ids: ['{{outer}}'] }),
      read('identity/group/id/{{inner}}', { parent_group_ids: ['{{outer}}'] }),
      ask('DELETE', 'identity/group/id/{{outer}}'),
      enter(['inner{{id}}']),
      write('identity/group/id/{{inner}}', { member_entity_ids: [] }),
      ask('GET', 'kv{{id}}/red/x', undefined, { as: 'user', status: 403 }),
      enter(undefined),
    ],
  },
  {
    name: 'groups: external ones have the members that their provider names at each login',
    steps: [
      ...provider,
      group({ name: 'ext{{id}}', type: 'external', policies: 'from-outside' }, 'outside'),
      refused(
        'identity/group/id/{{outside}}',
        { member_entity_ids: ['x'] },
        400,
        "member entities can't be set manually for external groups",
      ),
      byToken(undefined),
      refused('identity/group-alias', { mount_accessor: '{{mount}}' }, 400, 'missing alias name'),
      refused('identity/group-alias', { name: 'a' }, 400, 'missing mount_accessor'),
      refused(
        'identity/group-alias',
        { name: 'a', mount_accessor: '{{mount}}', canonical_id: 'none' },
        400,
        "invalid group ID given in 'canonical_id'",
      ),
      write(
        'identity/group-alias',
        { name: 'a', mount_accessor: '{{mount}}', canonical_id: '{{outside}}' },
        { status: 200, save: { alias: 'data.id' }, body_has: { data: { canonical_id: '{{outside}}' } } },
      ),
      refused(
        'identity/group-alias',
        { name: 'a', mount_accessor: '{{mount}}' },
        400,
        'combination of mount and group alias name is already in use',
      ),
      read('identity/group-alias/id/{{alias}}', { name: 'a', mount_accessor: '{{mount}}' }),
      byToken(['from-outside']),
      write('auth/jwt{{id}}/role/r', { role_type: 'jwt', bound_audiences: 'vault', groups_claim: 'none' }),
      refused(
        'auth/jwt{{id}}/login',
        { role: 'r', jwt: '{{signed}}' },
        400,
        'failed to fetch groups: "none" claim not found in token',
        {
          as: 'none',
        },
      ),
      ask('DELETE', 'identity/group-alias/id/{{alias}}'),
      missing('identity/group-alias/id/{{alias}}'),
    ],
  },
];
