import { type Case, type Step, wrapped } from './case.ts';
import { ask, enable, login, missing, read, refused, write } from './steps.ts';

const bob = 'identity/entity/name/bob{{id}}';
const create = (body: object) =>
  write('identity/entity', { name: 'bob{{id}}', ...body }, { status: 200, save: { bob: 'data.id' } });
const alias = (body: object, status: number, more: Partial<Step> = {}): Step =>
  write('identity/entity-alias', body, { status, ...more });
const mergeRefused = (body: object, text: string): Step => refused('identity/entity/merge', body, 400, text);
const secret = (path: string, status: number, as: string) =>
  ask('GET', `kv{{id}}/${path}`, undefined, { as, status });

export const identityCases: readonly Case[] = [
  {
    name: 'identity: entities are made, changed, looked up and deleted',
    steps: [
      refused('identity/entity', { name: 'x{{id}}', policies: 'Root' }, 400, 'policies cannot contain root'),
      create({ metadata: { team: 'x' }, policies: 'P1' }),
      write('identity/entity', { name: 'bob{{id}}', policies: 'p2' }),
      read(bob, {
        aliases: [],
        disabled: false,
        id: '{{bob}}',
        metadata: { team: 'x' },
        name: 'bob{{id}}',
        policies: ['p2'],
        namespace_id: 'root',
        group_ids: [],
      }),
      read('identity/entity/id/{{bob}}', { name: 'bob{{id}}' }),
      write('identity/entity/id/{{bob}}', { disabled: true }),
      read(bob, { disabled: true }),
      ask('LIST', 'identity/entity/id', undefined, {
        body_has: { data: { key_info: { '{{bob}}': { name: 'bob{{id}}' } } } },
      }),
      ask('LIST', 'identity/entity/name'),
      write(
        'identity/lookup/entity',
        { name: 'bob{{id}}' },
        { status: 200, body_has: { data: { id: '{{bob}}' } } },
      ),
      write('identity/lookup/entity', { name: 'nobody{{id}}' }),
      refused('identity/lookup/entity', {}, 400, 'query parameter not supplied'),
      refused('identity/entity/id/none', { disabled: true }, 400, 'entity not found from id'),
      ask('DELETE', bob),
      ask('DELETE', bob),
      missing(bob),
      missing('identity/entity/id/{{bob}}'),
    ],
  },
  {
    name: 'identity: aliases are changed, moved, and never two of one mount',
    steps: [
      enable('ua{{id}}', 'userpass'),
      enable('ub{{id}}', 'userpass'),
      ask('GET', 'sys/auth/ua{{id}}', undefined, { save: { ma: 'accessor' } }),
      ask('GET', 'sys/auth/ub{{id}}', undefined, { save: { mb: 'accessor' } }),
      create({}),
      write('identity/entity', { name: 'eve{{id}}' }, { status: 200, save: { eve: 'data.id' } }),
      alias({ name: 'u1', canonical_id: '{{bob}}', mount_accessor: '{{ma}}' }, 200, {
        save: { al: 'data.id' },
      }),
      alias({ name: 'u1', canonical_id: '{{bob}}', mount_accessor: '{{ma}}' }, 204),
      alias({ id: '{{al}}' }, 204),
      alias({ name: 'u2', canonical_id: '{{bob}}', mount_accessor: '{{ma}}' }, 400, {
        errors: ['Alias already exists for requested entity and mount accessor'],
      }),
      alias({ name: 'u3', canonical_id: 'x', mount_accessor: '{{ma}}' }, 400, {
        errors: ['invalid canonical ID'],
      }),
      alias({ name: 'u2', canonical_id: '{{eve}}', mount_accessor: '{{ma}}' }, 200),
      alias({ id: '{{al}}', name: 'u2' }, 400, {
        errors: ['alias with combination of mount accessor and name already exists'],
      }),
      alias({ id: '{{al}}', canonical_id: '{{eve}}' }, 400, {
        errors: ['Alias cannot be updated as the given entity already has an alias for this mount '],
      }),
      alias({ id: '{{al}}', canonical_id: 'x' }, 400, {
        errors: ["given 'canonical_id' is not associated with an entity"],
      }),
      alias({ id: '{{al}}', mount_accessor: '{{mb}}', custom_metadata: { k: 'v' } }, 200),
      alias({ id: '{{al}}', canonical_id: '{{eve}}' }, 200, {
        body_has: { data: { id: '{{al}}', canonical_id: '{{eve}}' } },
      }),
      read('identity/entity-alias/id/{{al}}', {
        canonical_id: '{{eve}}',
        custom_metadata: { k: 'v' },
        mount_accessor: '{{mb}}',
        name: 'u1',
        namespace_id: 'root',
      }),
      alias({ name: 'u1', mount_accessor: '{{mb}}' }, 200),
      read('identity/entity-alias/id/{{al}}', { custom_metadata: { k: undefined } }),
      read('identity/entity/id/{{bob}}', { aliases: [] }),
      refused(
        'identity/lookup/entity',
        { name: 'bob{{id}}', id: '{{bob}}' },
        400,
        'query parameter conflict; please supply distinct set of query parameters',
      ),
      refused(
        'identity/lookup/entity',
        { alias_mount_accessor: '{{mb}}' },
        400,
        "both 'alias_name' and 'alias_mount_accessor' needs to be set",
      ),
      write(
        'identity/lookup/entity',
        { alias_name: 'u1', alias_mount_accessor: '{{mb}}' },
        { status: 200, body_has: { data: { id: '{{eve}}' } } },
      ),
    ],
  },
  {
    name: 'identity: entities that turn out to be one are merged, and their tokens go on',
    steps: [
      ...['a', 'b'].flatMap((mount) => [
        enable(`m${mount}{{id}}`, 'userpass'),
        write(`auth/m${mount}{{id}}/users/u`, { password: 'pw' }),
        login(`auth/m${mount}{{id}}/login/u`, { password: 'pw' }, `token_${mount}`),
        ask('GET', 'auth/token/lookup-self', undefined, {
          as: `token_${mount}`,
          save: { [mount]: 'data.entity_id' },
        }),
      ]),
      write('auth/ma{{id}}/users/v', { password: 'pw' }),
      login('auth/ma{{id}}/login/v', { password: 'pw' }, 'token_v'),
      ask('GET', 'auth/token/lookup-self', undefined, { as: 'token_v', save: { v: 'data.entity_id' } }),
      refused('identity/entity/merge', {}, 400, 'missing entity id to merge to'),
      refused('identity/entity/merge', { to_entity_id: '{{a}}' }, 400, 'missing entity ids to merge from'),
      mergeRefused({ to_entity_id: 'x', from_entity_ids: '{{a}}' }, 'entity id to merge to is invalid'),
      mergeRefused(
        { to_entity_id: '{{a}}', from_entity_ids: '{{a}}' },
        'to_entity_id should not be present in from_entity_ids',
      ),
      mergeRefused({ to_entity_id: '{{a}}', from_entity_ids: 'x' }, 'entity id to merge from is invalid'),
      ask(
        'POST',
        'identity/entity/merge',
        { to_entity_id: '{{a}}', from_entity_ids: ['{{v}}'] },
        { status: 400, body_has: { errors: (e: unknown) => String(e).includes('same mount accessor') } },
      ),
      write('identity/group', { name: 'g{{id}}', member_entity_ids: '{{b}}' }, { status: 200 }),
      write('identity/entity/merge', { to_entity_id: '{{a}}', from_entity_ids: ['{{b}}'] }),
      missing('identity/entity/id/{{b}}'),
      read('identity/entity/id/{{a}}', {
        merged_entity_ids: ['{{b}}'],
        aliases: (aliases: unknown) => Array.isArray(aliases) && aliases.length === 2,
        direct_group_ids: (ids: unknown) => Array.isArray(ids) && ids.length === 1,
      }),
      read('auth/token/lookup-self', { entity_id: '{{b}}' }, { as: 'token_b' }),
      login('auth/mb{{id}}/login/u', { password: 'pw' }, 'again', { entity_id: '{{a}}' }),
      ask('DELETE', 'identity/entity/id/{{a}}'),
      ...['token_a', 'token_b', 'again'].map((as) =>
        ask('GET', 'auth/token/lookup-self', undefined, { as, status: 403, errors: ['permission denied'] }),
      ),
      refused('sys/capabilities', { token: '{{token_a}}', path: 'x' }, 400, wrapped('invalid token')),
      ask('GET', 'auth/token/lookup-self', undefined, { as: 'token_v' }),
    ],
  },
  {
    name: 'identity: an alias ties a login to an entity and its policies',
    steps: [
      enable('up{{id}}', 'userpass'),
      write('auth/up{{id}}/users/bob', { password: 'pw', token_policies: 'own' }),
      ask('GET', 'sys/auth/up{{id}}', undefined, { save: { mount: 'accessor' } }),
      create({ policies: 'extra' }),
      write(
        'identity/entity-alias',
        { name: 'bob', canonical_id: '{{bob}}', mount_accessor: '{{mount}}', custom_metadata: { c: 'd' } },
        {
          status: 200,
          save: { alias: 'data.id' },
          body_has: { data: { canonical_id: '{{bob}}' } },
        },
      ),
      read('identity/entity-alias/id/{{alias}}', {
        name: 'bob',
        canonical_id: '{{bob}}',
        custom_metadata: { c: 'd' },
        mount_type: 'userpass',
        mount_path: 'auth/up{{id}}/',
        local: false,
      }),
      write(
        'identity/lookup/entity',
        { alias_name: 'bob', alias_mount_accessor: '{{mount}}' },
        { status: 200, body_has: { data: { id: '{{bob}}' } } },
      ),
      login('auth/up{{id}}/login/bob', { password: 'pw' }, 'user', {
        entity_id: '{{bob}}',
        policies: ['default', 'extra', 'own'],
        token_policies: ['default', 'own'],
        identity_policies: ['extra'],
      }),
      read(
        'auth/token/lookup-self',
        { entity_id: '{{bob}}', policies: ['default', 'own'], identity_policies: ['extra'] },
        { as: 'user' },
      ),
      write('identity/entity/id/{{bob}}', { disabled: true }),
      ask('GET', 'auth/token/lookup-self', undefined, { as: 'user', status: 403 }),
      ask('POST', 'auth/up{{id}}/login/bob', { password: 'pw' }, { as: 'none', status: 403 }),
      ask('DELETE', 'identity/entity-alias/id/{{alias}}'),
      missing('identity/entity-alias/id/{{alias}}'),
      refused(
        'identity/entity-alias',
        { name: 'x', mount_accessor: 'zz' },
        400,
        'invalid mount accessor "zz"',
      ),
      refused(
        'identity/entity-alias',
        { name: 'x' },
        400,
        "'id' or 'mount_accessor' and 'name' must be provided",
      ),
      refused(
        'identity/entity-alias',
        { name: 'x', mount_accessor: '{{mount}}', canonical_id: 'zz' },
        400,
        'invalid canonical ID',
      ),
    ],
  },
  {
    name: 'identity: policies with templates grant each caller its own, and nothing by tricks',
    steps: [
      write('sys/mounts/kv{{id}}', { type: 'kv' }),
      enable('up{{id}}', 'userpass'),
      ask('GET', 'sys/auth/up{{id}}', undefined, { save: { mount: 'accessor' } }),
      ...['ann', 'bob'].flatMap((name) => [
        write(`auth/up{{id}}/users/${name}`, { password: 'pw', token_policies: 'tpl{{id}}' }),
        login(`auth/up{{id}}/login/${name}`, { password: 'pw' }, name),
      ]),
      ask('GET', 'auth/token/lookup-self', undefined, { as: 'ann', save: { ann_id: 'data.entity_id' } }),
      write('sys/policies/acl/tpl{{id}}', {
        policy: [
          'path "kv{{id}}/alias/{{ identity.entity.aliases.{{mount}}.name }}" { capabilities = ["read"] }',
          'path "kv{{id}}/id/{{identity.entity.id}}/*" { capabilities = ["read"] }',
          'path "kv{{id}}/team/{{identity.entity.metadata.team}}" { capabilities = ["read"] }',
          'path "kv{{id}}/unknown/{{identity.entity.foo}}" { capabilities = ["read"] }',
        ].join('\n'),
      }),
      ...['alias/ann', 'alias/bob', 'id/{{ann_id}}/x', 'team/red', 'team/a', 'unknown/'].map((path) =>
        write(`kv{{id}}/${path.replace(/\/$/, '/x')}`, { a: 'b' }),
      ),
      secret('alias/ann', 200, 'ann'),
      secret('alias/bob', 403, 'ann'),
      secret('alias/bob', 200, 'bob'),
      secret('id/{{ann_id}}/x', 200, 'ann'),
      secret('id/{{ann_id}}/x', 403, 'bob'),
      secret('team/red', 403, 'ann'),
      secret('unknown/x', 403, 'ann'),
      write('identity/entity/id/{{ann_id}}', { metadata: { team: 'red' } }),
      secret('team/red', 200, 'ann'),
      write('identity/entity/id/{{ann_id}}', { metadata: { team: '*' } }),
      secret('team/a', 403, 'ann'),
      write(
        'sys/capabilities',
        { token: '{{ann}}', paths: ['kv{{id}}/alias/ann'] },
        { status: 200, body_has: { data: { capabilities: ['read'] } } },
      ),
      ask(
        'PUT',
        'sys/policies/acl/bad{{id}}',
        { policy: 'path "x/{{identity.entity.name" { capabilities=["read"] }' },
        {
          status: 400,
          errors: [
            'failed to parse policy: failed to validate policy templating: unbalanced templating characters',
          ],
        },
      ),
    ],
  },
];
