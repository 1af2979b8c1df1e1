import { type Case, type Step, wrapped } from './case.ts';

const setup = (policy: string): Step[] => [
  { method: 'POST', path: 'sys/mounts/p{{id}}', body: { type: 'kv' }, status: 204 },
  { method: 'PUT', path: 'sys/policies/acl/p{{id}}', body: { policy }, status: 204 },
  {
    method: 'POST',
    path: 'auth/token/create',
    body: { policies: ['p{{id}}'] },
    status: 200,
    save: { user: 'auth.client_token' },
  },
];
const put = (path: string, status: number, body: object = { k: 'v' }): Step => ({
  method: 'PUT',
  path: `p{{id}}/${path}`,
  as: 'user',
  body,
  status,
});
const get = (path: string, status: number): Step => ({
  method: 'GET',
  path: `p{{id}}/${path}`,
  as: 'user',
  status,
});
const list = (path: string, status: number): Step => ({
  method: 'LIST',
  path: `p{{id}}/${path}`,
  as: 'user',
  status,
});

const badPolicy = (policy: string, pattern: RegExp): Case => ({
  name: `policy refused: ${policy}`,
  steps: [
    {
      method: 'PUT',
      path: 'sys/policies/acl/bad{{id}}',
      body: { policy },
      status: 400,
      body_has: { errors: (errors: unknown) => Array.isArray(errors) && pattern.test(String(errors[0])) },
    },
  ],
});

const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));

/** A write of one policy that says something of versions; refused with `error` if there is one. */
const versioned = (more: object, error?: string): Step => ({
  method: 'PUT',
  path: 'sys/policies/acl/v{{id}}',
  body: { policy: 'path "a" { capabilities = ["read"] }', ...more },
  status: error === undefined ? 204 : 400,
  ...(error === undefined ? {} : { errors: [error] }),
});

export const policyCases: readonly Case[] = [
  {
    name: 'policy: create and update are different capabilities',
    steps: [
      ...setup(
        'path "p{{id}}/new/*" { capabilities = ["create"] }\npath "p{{id}}/old/*" { capabilities = ["update"] }',
      ),
      put('new/a', 204),
      put('new/a', 403),
      put('old/a', 403),
      { method: 'PUT', path: 'p{{id}}/old/a', body: { k: 'v' }, status: 204 },
      put('old/a', 204),
    ],
  },
  {
    name: 'policy: an exact rule beats a prefix, and the longest prefix decides alone',
    steps: [
      ...setup(
        'path "p{{id}}/*" { capabilities = ["create","read","update","list"] }\npath "p{{id}}/a/*" { capabilities = ["read"] }\npath "p{{id}}/a/open" { capabilities = ["create","read"] }',
      ),
      put('b', 204),
      put('a/shut', 403),
      put('a/open', 204),
      get('a/open', 200),
      list('', 200),
    ],
  },
  {
    name: 'policy: plus takes exactly one segment',
    steps: [
      ...setup('path "p{{id}}/+/certs" { capabilities = ["create","read"] }'),
      put('one/certs', 204),
      put('one/two/certs', 403),
      put('one/other', 403),
    ],
  },
  {
    name: 'policy: deny wins over everything said about the same path',
    steps: [
      ...setup(
        'path "p{{id}}/*" { capabilities = ["create","read","update"] }\npath "p{{id}}/secret" { capabilities = ["deny", "read"] }',
      ),
      get('secret', 403),
      put('secret', 403),
    ],
  },
  {
    name: 'policy: a list does not slip past a deny without the slash',
    steps: [
      ...setup(
        'path "p{{id}}/*" { capabilities = ["create","read","list"] }\npath "p{{id}}/shut" { capabilities = ["deny"] }',
      ),
      { method: 'PUT', path: 'p{{id}}/shut/a', body: { k: 'v' }, status: 204 },
      list('shut', 403),
    ],
  },
  {
    name: 'policy: allowed, denied and required parameters',
    steps: [
      ...setup(
        'path "p{{id}}/a" { capabilities = ["create","update"] allowed_parameters = { "k" = ["v", "w*"] } }\npath "p{{id}}/d" { capabilities = ["create","update"] denied_parameters = { "bad" = [] } }\npath "p{{id}}/r" { capabilities = ["create","update"] required_parameters = ["need"] }',
      ),
      put('a', 204, { k: 'v' }),
      put('a', 204, { k: 'wild' }),
      put('a', 403, { k: 'x' }),
      put('a', 403, { other: 'v' }),
      put('d', 204, { good: '1' }),
      put('d', 403, { bad: '1' }),
      put('r', 403, { other: '1' }),
      put('r', 204, { need: '1' }),
    ],
  },
  {
    name: 'policy: JSON form, and sys/policy as hvac uses it',
    steps: [
      {
        method: 'PUT',
        path: 'sys/policy/j{{id}}',
        body: { policy: '{"path":{"sys/mounts":{"capabilities":["read"]}}}' },
        status: 204,
      },
      {
        method: 'GET',
        path: 'sys/policy/j{{id}}',
        status: 200,
        body_has: { name: 'j{{id}}', rules: '{"path":{"sys/mounts":{"capabilities":["read"]}}}' },
      },
      {
        method: 'POST',
        path: 'auth/token/create',
        body: { policies: 'j{{id}}' },
        status: 200,
        save: { user: 'auth.client_token' },
      },
      { method: 'GET', path: 'sys/mounts', as: 'user', status: 200 },
      { method: 'GET', path: 'sys/auth', as: 'user', status: 403, errors: [wrapped('permission denied')] },
      { method: 'DELETE', path: 'sys/policy/j{{id}}', status: 204 },
      { method: 'GET', path: 'sys/mounts', as: 'user', status: 403 },
    ],
  },
  {
    name: 'policy: capabilities-self says what holds',
    steps: [
      ...setup('path "p{{id}}/a" { capabilities = ["read", "create"] }'),
      {
        method: 'POST',
        path: 'sys/capabilities-self',
        as: 'user',
        body: { paths: ['p{{id}}/a', 'p{{id}}/b'] },
        status: 200,
        body_has: { data: { 'p{{id}}/a': ['create', 'read'], 'p{{id}}/b': ['deny'] } },
      },
      {
        method: 'POST',
        path: 'sys/capabilities-self',
        body: { path: 'x' },
        status: 200,
        body_has: { capabilities: ['root'] },
      },
    ],
  },
  {
    name: 'policy: sudo is wanted in addition',
    steps: [
      ...setup('path "sys/auth/*" { capabilities = ["create","update"] }'),
      { method: 'POST', path: 'sys/auth/s{{id}}', as: 'user', body: { type: 'kubernetes' }, status: 403 },
      {
        method: 'PUT',
        path: 'sys/policies/acl/p{{id}}',
        body: { policy: 'path "sys/auth/*" { capabilities = ["create","update","sudo"] }' },
        status: 204,
      },
      { method: 'POST', path: 'sys/auth/s{{id}}', as: 'user', body: { type: 'kubernetes' }, status: 204 },
    ],
  },
  {
    name: 'policy: built-in ones are protected',
    steps: [
      {
        method: 'PUT',
        path: 'sys/policies/acl/root',
        body: { policy: 'path "a" { capabilities = ["read"] }' },
        status: 400,
        errors: ['cannot update "root" policy'],
      },
      {
        method: 'DELETE',
        path: 'sys/policies/acl/default',
        status: 400,
        errors: ['cannot delete default policy'],
      },
      {
        method: 'DELETE',
        path: 'sys/policies/acl/root',
        status: 400,
        errors: ['cannot delete "root" policy'],
      },
      { method: 'GET', path: 'sys/policies/acl/none{{id}}', status: 404, errors: [] },
      { method: 'DELETE', path: 'sys/policies/acl/none{{id}}', status: 204 },
      {
        method: 'PUT',
        path: 'sys/policies/acl/x{{id}}',
        body: {},
        status: 400,
        errors: ["'policy' parameter not supplied or empty"],
      },
      {
        method: 'LIST',
        path: 'sys/policies/acl',
        status: 200,
        body_has: {
          data: {
            keys: (keys: unknown) =>
              Array.isArray(keys) &&
              keys.includes('default') &&
              keys.includes('root') &&
              !keys.includes('response-wrapping'),
          },
        },
      },
      { method: 'GET', path: 'sys/policies/acl', status: 405 },
    ],
  },
  badPolicy(
    'path "x" { capabilities = ["zap"] }',
    /^failed to parse policy: .*path "x": invalid capability "zap"/s,
  ),
  badPolicy(
    'path "x/+*" { capabilities = ["read"] }',
    /^failed to parse policy: .*path "x\/\+\*": invalid use of wildcards \('\+\*' is forbidden\)/s,
  ),
  badPolicy('foo = 1', /^failed to parse policy: .*invalid key "foo" on line 1/s),
  {
    name: 'policy: written only over the version that the writer knows',
    steps: [
      versioned({ cas: 1 }, 'check-and-set parameter did not match the current version'),
      versioned({ cas_required: true }, 'check-and-set parameter required for this call'),
      versioned({ cas: -1 }),
      versioned({ cas: -1 }, 'check-and-set parameter set to -1 on existing entry'),
      versioned({ cas: 0 }, 'check-and-set parameter did not match the current version'),
      versioned({ cas: '1', cas_required: true }),
      versioned({}, 'check-and-set parameter required for this call'),
      {
        method: 'GET',
        path: 'sys/policies/acl/v{{id}}',
        status: 200,
        body_has: { data: { version: 2, cas_required: true, modified: isTime } },
      },
      versioned({ cas: 2 }),
      {
        method: 'GET',
        path: 'sys/policy/v{{id}}',
        status: 200,
        body_has: { version: 3, data: { version: 3, cas_required: false } },
      },
      {
        method: 'GET',
        path: 'sys/policies/acl/root',
        status: 200,
        body_has: { data: { version: 0, cas_required: false } },
      },
      { method: 'DELETE', path: 'sys/policies/acl/v{{id}}', status: 204 },
    ],
  },
];
