import { type Case, wrapped } from './case.ts';
import { ask, login, read, write } from './steps.ts';

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
      ask('GET', 'one{{id}}/a?zz=1', undefined, { body_has: { warnings: null } }),
    ],
  },
];
