import type { Case, Step } from './case.ts';
import { ask, read, refused, write } from './steps.ts';

/** A mount of kv, a policy and a token of it. */
const setup = (...policies: readonly string[]): Step[] => setupFor('1', ...policies);
const setupFor = (version: string, ...policies: readonly string[]): Step[] => [
  write('sys/mounts/r{{id}}', { type: 'kv', options: { version } }),
  ...policies.map((policy, i) => ask('PUT', `sys/policies/acl/r${i}{{id}}`, { policy })),
  write(
    'auth/token/create',
    { policies: policies.map((_, i) => `r${i}{{id}}`), no_default_policy: true },
    { status: 200, save: { user: 'auth.client_token' } },
  ),
];
const user = { as: 'user' } as const;
const denied = { as: 'user', status: 403 } as const;
const put = (path: string, body: unknown, more: Partial<Step> = user): Step =>
  ask('PUT', `r{{id}}/${path}`, body, more);
const keys = (path: string, expected: readonly string[]): Step =>
  ask('LIST', `r{{id}}/${path}`, undefined, { ...user, body_has: { data: { keys: expected } } });
const page = (path: string, expected: readonly string[], more: Partial<Step> = user): Step =>
  ask('LIST', `r{{id}}/${path}`, undefined, { ...more, body_has: { data: { keys: expected } } });

const patch = { headers: { 'Content-Type': 'application/merge-patch+json' } } as const;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** What single rules say beyond which path they are for. */
export const policyRuleCases: readonly Case[] = [
  {
    name: 'policy: a denied parameter is denied beside one of the same name in other letters',
    steps: [
      ...setup(
        'path "r{{id}}/d" { capabilities = ["create","update"] denied_parameters = { "x" = ["bad"] } }\npath "r{{id}}/r" { capabilities = ["create","update"] required_parameters = ["x"] }',
      ),
      put('d', { x: 'bad', X: 'good' }, denied),
      put('d', { x: 'good', X: 'bad' }, denied),
      put('d', { x: 'good', X: 'good' }),
      put('r', { X: '1' }, denied),
      put('r', { x: '1' }),
    ],
  },
  {
    name: 'policy: of two bounds of wrapping the lesser counts',
    steps: [
      ...setup(
        'path "r{{id}}/w" { capabilities = ["read"] min_wrapping_ttl = "10s" max_wrapping_ttl = "300s" }',
        'path "r{{id}}/w" { capabilities = ["read"] min_wrapping_ttl = "60s" max_wrapping_ttl = "100s" }',
      ),
      write('r{{id}}/w', { k: 'v' }),
      ask('GET', 'r{{id}}/w', undefined, denied),
      ask('GET', 'r{{id}}/w', undefined, { ...denied, headers: { 'X-Vault-Wrap-TTL': '5' } }),
      ask('GET', 'r{{id}}/w', undefined, { ...user, headers: { 'X-Vault-Wrap-TTL': '20' } }),
      ask('GET', 'r{{id}}/w', undefined, { ...denied, headers: { 'X-Vault-Wrap-TTL': '200' } }),
    ],
  },
  {
    name: 'policy: a stanza that has expired says nothing, one that will expire does',
    steps: [
      ...setup(
        'path "r{{id}}/*" { capabilities = ["read"] }\npath "r{{id}}/a" { capabilities = ["deny"] expiration = "2001-01-01T00:00:00Z" }\npath "r{{id}}/b" { capabilities = ["deny"] expiration = "2100-01-01T00:00:00Z" }',
      ),
      write('r{{id}}/a', { k: 'v' }),
      write('r{{id}}/b', { k: 'v' }),
      ask('GET', 'r{{id}}/a', undefined, user),
      ask('GET', 'r{{id}}/b', undefined, denied),
    ],
  },
  {
    name: 'policy: one that expires',
    steps: [
      refused(
        'sys/policies/acl/e{{id}}',
        { policy: 'path "a" {}', ttl: '1h', expiration: '2100-01-01T00:00:00Z' },
        400,
        "cannot supply both 'expiration' and 'ttl' for policies",
      ),
      refused(
        'sys/policies/acl/e{{id}}',
        { policy: 'path "a" {}', expiration: '2001-01-01T00:00:00Z' },
        400,
        'refusing to update policy as expiration time has already elapsed',
      ),
      write('sys/policies/acl/e{{id}}', { policy: 'path "a" {}', expiration: '2100-01-01T00:00:00Z' }),
      read('sys/policies/acl/e{{id}}', {
        expiration: (at: unknown) => Date.parse(String(at)) === Date.parse('2100-01-01T00:00:00Z'),
      }),
      write('sys/policies/acl/e{{id}}', { policy: 'path "a" {}' }),
      read('sys/policies/acl/e{{id}}', { expiration: undefined }),
      write('sys/policies/acl/e{{id}}', { policy: 'path "a" {}', ttl: '1h' }),
      read('sys/policies/acl/e{{id}}', {
        expiration: (at: unknown) => Date.parse(String(at)) > Date.now() + 3_000_000,
      }),
      ask('DELETE', 'sys/policies/acl/e{{id}}'),
    ],
  },
  {
    name: 'policy: a patch changes what it names',
    steps: [
      ask(
        'PATCH',
        'sys/policies/acl/t{{id}}',
        { cas_required: true },
        { status: 400, errors: ['policy not found'], ...patch },
      ),
      write('sys/policies/acl/t{{id}}', { policy: 'path "a" {}', ttl: '1h' }),
      ask('PATCH', 'sys/policies/acl/t{{id}}', { policy: 'path "b" {}' }, { status: 200, ...patch }),
      read('sys/policies/acl/t{{id}}', {
        policy: 'path "b" {}',
        version: 2,
        expiration: (at: unknown) => typeof at === 'string',
      }),
      ask('PATCH', 'sys/policies/acl/t{{id}}', { cas: 1 }, { status: 400, ...patch }),
      ask('PATCH', 'sys/policies/acl/t{{id}}', { cas: 2, cas_required: true }, { status: 200, ...patch }),
      read('sys/policies/acl/t{{id}}', { version: 3, cas_required: true, policy: 'path "b" {}' }),
      ask('DELETE', 'sys/policies/acl/t{{id}}'),
    ],
  },
  {
    name: 'policy: lists by pages, and no longer than a policy allows',
    steps: [
      ...setupFor(
        '2',
        'path "r{{id}}/metadata/l" { capabilities = ["list"] pagination_limit = 2 }\npath "r{{id}}/metadata/q" { capabilities = ["list"] pagination_limit = 2 required_parameters = ["limit"] }\npath "r{{id}}/metadata/free" { capabilities = ["list"] }',
      ),
      ...['l', 'q', 'free'].flatMap((folder) =>
        ['a', 'b', 'c'].map((name) => write(`r{{id}}/data/${folder}/${name}`, { data: {} }, { status: 200 })),
      ),
      keys('metadata/l', ['a', 'b']),
      page('metadata/l?limit=1', ['a']),
      page('metadata/l?limit=1&after=a', ['b']),
      page('metadata/l?after=b', ['c']),
      page('metadata/l?limit=0', ['a', 'b']),
      page('metadata/l?limit=max', ['a', 'b']),
      ask('LIST', 'r{{id}}/metadata/l?limit=3', undefined, denied),
      ask('LIST', 'r{{id}}/metadata/l?limit=-1', undefined, denied),
      ask('LIST', 'r{{id}}/metadata/l?limit=x', undefined, denied),
      ask('LIST', 'r{{id}}/metadata/q', undefined, denied),
      page('metadata/q?limit=2', ['a', 'b']),
      keys('metadata/free', ['a', 'b', 'c']),
      page('metadata/free?limit=2', ['a', 'b']),
      page('metadata/free?limit=max', ['a', 'b', 'c']),
      page('metadata/free?after=b', ['c'], {}),
      ask('LIST', 'r{{id}}/metadata/free?after=c', undefined, { status: 404, errors: [] }),
    ],
  },
  {
    name: 'policy: what may I do, rule by rule',
    steps: [
      ...setup(
        'path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }\npath "r{{id}}/a" { capabilities = ["update", "read"] max_wrapping_ttl = "60s" denied_parameters = { "x" = [] } required_parameters = ["y"] }\npath "r{{id}}/b/*" { capabilities = ["list"] }\npath "r{{id}}/c*" { capabilities = [] }\npath "r{{id}}/+/d" { capabilities = ["read"] }',
      ),
      read(
        'sys/internal/ui/resultant-acl',
        {
          root: false,
          exact_paths: {
            'r{{id}}/a': {
              capabilities: ['read', 'update'],
              max_wrapping_ttl: 60,
              denied_parameters: { x: [] },
              required_parameters: ['y'],
            },
          },
          glob_paths: {
            'r{{id}}/b/': { capabilities: ['list'] },
            'r{{id}}/c': { capabilities: ['deny'] },
            'r{{id}}/+/d': undefined,
          },
        },
        user,
      ),
      read('sys/internal/ui/resultant-acl', { root: true, exact_paths: undefined }),
      read('sys/internal/ui/mounts', { secret: { 'r{{id}}/': { type: 'kv', uuid: isText } } }, user),
      read('sys/internal/ui/mounts/auth/token', { path: 'token/', type: 'token' }),
    ],
  },
  {
    name: 'policy: deny in a list of capabilities ends it',
    steps: [write('sys/policies/acl/z{{id}}', { policy: 'path "a" { capabilities = ["deny", "zap"] }' })],
  },
];
