import { type Case, wrapped } from './case.ts';
import { ask, login, read, refused, write } from './steps.ts';

const some = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** What holds for every path: how names are asked for, and what is said of fields that nobody knows. */
export const requestCases: readonly Case[] = [
  {
    name: 'scan: every key below a folder',
    steps: [
      write('sys/mounts/one{{id}}', { type: 'kv' }),
      write('one{{id}}/a', { k: 'v' }),
      write('one{{id}}/d/b', { k: 'v' }),
      write('one{{id}}/d/e/c', { k: 'v' }),
      read('one{{id}}?scan=true', { keys: ['a', 'd/b', 'd/e/c'] }),
      read('one{{id}}/d?scan=true', { keys: ['b', 'e/c'] }),
      ask('GET', 'one{{id}}/none?scan=true', undefined, { body_has: { data: {} } }),
      ask('GET', 'one{{id}}?scan=notabool', undefined, { status: 400, errors: [] }),
      ask('GET', 'one{{id}}?scan=true&list=true', undefined, { status: 400, errors: [] }),
      ask('GET', 'cubbyhole?scan=true', undefined, {
        status: 405,
        errors: [wrapped('unsupported operation')],
      }),
      write('sys/mounts/two{{id}}', { type: 'kv', options: { version: '2' } }),
      write('two{{id}}/data/d/e/c', { data: { k: 'v' } }, { status: 200 }),
      read('two{{id}}/metadata?scan=true', { keys: ['d/e/c'] }),
      read('two{{id}}/detailed-metadata/d?scan=true', {
        keys: ['e/c'],
        key_info: (value: unknown) => JSON.stringify(value).startsWith('{"e/c":'),
      }),
    ],
  },
  {
    name: 'scan: a capability of its own',
    steps: [
      write('sys/mounts/one{{id}}', { type: 'kv' }),
      write('one{{id}}/d/b', { k: 'v' }),
      write('sys/policies/acl/l{{id}}', { policy: 'path "one{{id}}/*" { capabilities = ["list"] }' }),
      write('sys/policies/acl/s{{id}}', { policy: 'path "one{{id}}/d" { capabilities = ["scan"] }' }),
      write('sys/auth/u{{id}}', { type: 'userpass' }),
      write('auth/u{{id}}/users/l', { password: 'pw', token_policies: 'l{{id}}' }),
      write('auth/u{{id}}/users/s', { password: 'pw', token_policies: 's{{id}}' }),
      login('auth/u{{id}}/login/l', { password: 'pw' }, 'lister'),
      login('auth/u{{id}}/login/s', { password: 'pw' }, 'scanner'),
      ask('GET', 'one{{id}}/d?scan=true', undefined, {
        as: 'lister',
        status: 403,
        errors: [wrapped('permission denied')],
      }),
      read('one{{id}}/d?scan=true', { keys: ['b'] }, { as: 'scanner' }),
      ask('LIST', 'one{{id}}/d', undefined, { as: 'scanner', status: 403 }),
    ],
  },
  {
    name: 'fields that nobody knows are named in the answer, where there is one',
    steps: [
      write(
        'sys/tools/hash',
        { input: 'YQ==', zz: 1, aa: null },
        {
          status: 200,
          body_has: { warnings: ['Endpoint ignored these unrecognized parameters: [aa zz]'] },
        },
      ),
      write('sys/auth/u{{id}}', { type: 'userpass' }),
      write('auth/u{{id}}/users/joe', { password: 'pw', zz: 1 }),
      write(
        'auth/u{{id}}/login/joe',
        { password: 'pw', username: 'ann', zz: 1 },
        {
          as: 'none',
          status: 200,
          body_has: {
            auth: { metadata: { username: 'joe' } },
            warnings: [
              'Endpoint ignored these unrecognized parameters: [zz]',
              "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [username]",
            ],
          },
        },
      ),
      write('sys/mounts/one{{id}}', { type: 'kv' }),
      write('one{{id}}/a', { zz: 1 }),
      ask('GET', 'one{{id}}/a', undefined, { body_has: { data: { zz: 1 }, warnings: null } }),
      ask('GET', 'one{{id}}/a?zz=1', undefined, {
        body_has: { warnings: ['Endpoint ignored these unrecognized parameters: [zz]'] },
      }),
    ],
  },
  {
    name: 'what is nothing is not wrapped',
    steps: [
      ask('GET', 'sys/policies/acl/none{{id}}', undefined, {
        status: 404,
        errors: [],
        headers: { 'X-Vault-Wrap-TTL': '60' },
      }),
      ask('DELETE', 'sys/policies/acl/none{{id}}', undefined, { headers: { 'X-Vault-Wrap-TTL': '60' } }),
      ask('GET', 'sys/policies/acl/default', undefined, {
        headers: { 'X-Vault-Wrap-TTL': '0' },
        body_has: { wrap_info: null, data: { name: 'default' } },
      }),
    ],
  },
  {
    name: 'no time below zero',
    steps: [
      write('sys/auth/a{{id}}', { type: 'approle' }),
      refused(
        'auth/a{{id}}/role/r',
        { secret_id_ttl: '-1s' },
        400,
        'error converting input for field "secret_id_ttl": cannot provide negative value \'-1\'',
      ),
      refused(
        'sys/leases/renew',
        { lease_id: 'x', increment: -4 },
        400,
        'Field validation failed: error converting input for field "increment": cannot provide negative value \'-4\'',
      ),
    ],
  },
  {
    name: 'kv: a limit of versions below zero loses nothing',
    steps: [
      write('sys/mounts/kv{{id}}', { type: 'kv', options: { version: '2' } }),
      write('kv{{id}}/config', { max_versions: -3 }),
      write('kv{{id}}/data/a', { data: { k: 1 } }, { status: 200 }),
      write('kv{{id}}/data/a', { data: { k: 2 } }, { status: 200 }),
      read('kv{{id}}/data/a', { data: { k: 2 } }),
      read('kv{{id}}/data/a?version=1', { data: { k: 1 } }),
      read('kv{{id}}/config', { max_versions: 4294967293 }),
    ],
  },
  {
    name: 'tools: the digest that the body asks for, random bytes by source',
    steps: [
      write(
        'sys/tools/hash',
        { input: 'YQ==', algorithm: 'sha2-224' },
        {
          status: 200,
          body_has: { data: { sum: 'abd37534c7d9a2efb9465de931cd7055ffdb8879563ae98078d6d6d5' } },
        },
      ),
      write('sys/tools/random/platform/4', { format: 'hex' }, { status: 200 }),
      refused(
        'sys/tools/random/dice/4',
        {},
        400,
        'unsupported entropy source "dice"; must be "platform" or "seal", or "all"',
      ),
    ],
  },
  {
    name: 'tokens: a custom id is warned of, an orphaning needs sudo, leases are listed from the top',
    steps: [
      write(
        'auth/token/create',
        { id: 'custom{{id}}', policies: ['default'] },
        { status: 200, body_has: { warnings: some } },
      ),
      refused(
        'auth/token/create',
        { id: 'hvs.x', policies: ['default'] },
        400,
        "custom token ID cannot have the 'hvs.' prefix",
      ),
      write('sys/policies/acl/o{{id}}', {
        policy: 'path "auth/token/revoke-orphan" { capabilities = ["update"] }',
      }),
      write(
        'auth/token/create',
        { policies: ['o{{id}}'] },
        { status: 200, save: { plain: 'auth.client_token' } },
      ),
      refused(
        'auth/token/revoke-orphan',
        { token: 'custom{{id}}' },
        400,
        'root or sudo privileges required to revoke and orphan',
        { as: 'plain' },
      ),
      ask('LIST', 'sys/leases/lookup', undefined, { body_has: { data: { keys: some } } }),
    ],
  },
];
