import { type Case, wrapped } from './case.ts';
import { ask, missing, read, refused, write } from './steps.ts';

const numeric = (value: unknown): boolean => typeof value === 'number';
const some = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

export const sysCases: readonly Case[] = [
  {
    name: 'remount: everything moves along, the status says success',
    steps: [
      write('sys/mounts/from{{id}}', { type: 'kv' }),
      write('from{{id}}/a', { k: 'v' }),
      write(
        'sys/remount',
        { from: 'from{{id}}', to: 'to{{id}}' },
        {
          status: 200,
          save: { migration: 'data.migration_id' },
        },
      ),
      read(
        'sys/remount/status/{{migration}}',
        {
          migration_id: '{{migration}}',
          migration_info: { source_mount: 'from{{id}}/', target_mount: 'to{{id}}/', status: 'success' },
        },
        { after: 200 },
      ),
      read('to{{id}}/a', { k: 'v' }),
      ask('GET', 'from{{id}}/a', undefined, { status: 404 }),
      missing('sys/remount/status/nosuch'),
      refused(
        'sys/remount',
        { from: 'nosuch{{id}}', to: 'x{{id}}' },
        400,
        'no matching mount at "nosuch{{id}}/"',
      ),
      refused('sys/remount', { from: 'sys', to: 'x{{id}}' }, 400, 'cannot remount "sys/"'),
      write('sys/auth/a{{id}}', { type: 'userpass' }),
      refused(
        'sys/remount',
        { from: 'auth/a{{id}}', to: 'x{{id}}' },
        400,
        'cannot remount auth mount to non-auth mount "x{{id}}/"',
      ),
      write('sys/remount', { from: 'auth/a{{id}}', to: 'auth/b{{id}}' }, { status: 200 }),
      ask('GET', 'sys/auth/b{{id}}', undefined, { after: 200 }),
    ],
  },
  {
    name: 'quotas: written, read, listed, refused, deleted',
    steps: [
      write('sys/mounts/q{{id}}', { type: 'kv' }),
      write('sys/quotas/rate-limit/one{{id}}', { path: 'q{{id}}', rate: 100 }),
      read('sys/quotas/rate-limit/one{{id}}', {
        type: 'rate-limit',
        name: 'one{{id}}',
        path: 'q{{id}}/',
        role: '',
        rate: 100,
        interval: 1,
        block_interval: 0,
      }),
      ask('LIST', 'sys/quotas/rate-limit', undefined, { body_has: { data: { keys: some } } }),
      refused('sys/quotas/rate-limit/two{{id}}', { path: 'q{{id}}' }, 400, "'rate' is invalid"),
      refused(
        'sys/quotas/rate-limit/two{{id}}',
        { path: 'q{{id}}', rate: 5 },
        400,
        'quota rule with similar properties exists under the name "one{{id}}"',
      ),
      ask('DELETE', 'sys/quotas/rate-limit/one{{id}}'),
      missing('sys/quotas/rate-limit/one{{id}}'),
    ],
  },
  {
    name: 'quotas: too many requests of one address are 429',
    steps: [
      write('sys/mounts/q{{id}}', { type: 'kv' }),
      write('q{{id}}/a', { k: 'v' }),
      write('sys/quotas/rate-limit/few{{id}}', { path: 'q{{id}}', rate: 2, interval: '1h' }),
      ask('GET', 'q{{id}}/a'),
      ask('GET', 'q{{id}}/a'),
      ask('GET', 'q{{id}}/a', undefined, {
        status: 429,
        errors: ['request path "q{{id}}/a": rate limit quota exceeded'],
      }),
      ask('DELETE', 'sys/quotas/rate-limit/few{{id}}'),
      ask('GET', 'q{{id}}/a'),
    ],
  },
  {
    name: 'quotas: their configuration',
    steps: [
      read('sys/quotas/config', {
        enable_rate_limit_audit_logging: false,
        enable_rate_limit_response_headers: false,
        rate_limit_exempt_paths: some,
      }),
    ],
  },
  {
    name: 'keys: the data key, a new one, and when there is one by itself',
    steps: [
      read('sys/key-status', { term: numeric, encryptions: numeric }),
      read('sys/rotate/config', { enabled: true, max_operations: 3_865_470_566, interval: 0 }),
      write('sys/rotate/config', { interval: '48h' }),
      read('sys/rotate/keyring/config', { enabled: true, interval: '48h0m0s' }),
      refused('sys/rotate/config', { interval: '1h' }, 400, 'interval must be greater or equal to 24h0m0s'),
      refused(
        'sys/rotate/config',
        { max_operations: 1 },
        400,
        'max_operations must be in the range [1000000,3865470566]',
      ),
      write('sys/rotate/config', { interval: 0 }),
      write('sys/rotate', {}),
      write('sys/rotate/keyring', {}),
    ],
  },
  {
    name: 'node: members, versions, host, metrics',
    steps: [
      ask('GET', 'sys/ha-status', undefined, { body_has: { data: { nodes: some } } }),
      ask('LIST', 'sys/version-history', undefined, { body_has: { data: { keys: some } } }),
      ask('GET', 'sys/version-history', undefined, { status: 405 }),
      read('sys/host-info', { memory: { total: numeric } }),
      ask('GET', 'sys/metrics', undefined, { body_has: { Gauges: Array.isArray } }),
      ask('GET', 'sys/metrics?format=nosuch', undefined, { status: 400 }),
      ask('GET', 'sys/pprof/nosuch{{id}}', undefined, { status: 404 }),
    ],
  },
  {
    name: 'cors: off, on, off',
    steps: [
      read('sys/config/cors', { enabled: false }),
      refused('sys/config/cors', {}, 500, wrapped('at least one origin or the wildcard must be provided')),
      refused(
        'sys/config/cors',
        { allowed_origins: ['*', 'https://a'] },
        500,
        wrapped("to allow all origins the '*' must be the only value for allowed_origins"),
      ),
      write('sys/config/cors', { allowed_origins: 'https://a.example' }),
      read('sys/config/cors', {
        enabled: true,
        allowed_origins: ['https://a.example'],
        allowed_headers: some,
      }),
      ask('DELETE', 'sys/config/cors'),
      read('sys/config/cors', { enabled: false }),
    ],
  },
  {
    name: 'locked users: tuned, locked, listed, unlocked',
    steps: [
      write('sys/auth/u{{id}}', { type: 'userpass' }),
      ask('GET', 'sys/auth/u{{id}}', undefined, { save: { accessor: 'data.accessor' } }),
      write('sys/auth/u{{id}}/tune', {
        user_lockout_config: {
          lockout_threshold: '2',
          lockout_duration: '10m',
          lockout_counter_reset_duration: '10m',
        },
      }),
      read('sys/auth/u{{id}}/tune', {
        user_lockout_threshold: 2,
        user_lockout_duration: 600,
        user_lockout_counter_reset_duration: 600,
        user_lockout_disable: false,
      }),
      write('auth/u{{id}}/users/joe', { password: 'right' }),
      write('auth/u{{id}}/login/joe', { password: 'wrong' }, { as: 'none', status: 400 }),
      write('auth/u{{id}}/login/joe', { password: 'wrong' }, { as: 'none', status: 400 }),
      refused('auth/u{{id}}/login/joe', { password: 'right' }, 403, 'permission denied', { as: 'none' }),
      read('sys/locked-users?mount_accessor={{accessor}}', {
        total: 1,
        by_namespace: [
          {
            namespace_id: 'root',
            namespace_path: '',
            counts: 1,
            mount_accessors: [{ mount_accessor: '{{accessor}}', counts: 1, alias_identifiers: ['joe'] }],
          },
        ],
      }),
      write('sys/locked-users/{{accessor}}/unlock/joe', {}),
      write('auth/u{{id}}/login/joe', { password: 'right' }, { as: 'none', status: 200 }),
      write('sys/auth/k{{id}}', { type: 'kubernetes' }),
      refused(
        'sys/auth/k{{id}}/tune',
        { user_lockout_config: { lockout_threshold: '2' } },
        400,
        'tuning of user lockout configuration for auth type "kubernetes" not allowed',
      ),
    ],
  },
  {
    name: 'leases: tidying is started',
    steps: [ask('PUT', 'sys/leases/tidy', undefined, { status: 202 })],
  },
];
