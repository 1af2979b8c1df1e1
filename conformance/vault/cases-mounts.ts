import type { Case } from './case.ts';
import { ask, enable, read, refused, write } from './steps.ts';

const some = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

export const mountCases: readonly Case[] = [
  {
    name: 'kv: a mount that gets versions keeps its secrets',
    steps: [
      write('sys/mounts/kv{{id}}', { type: 'kv', options: { version: '1' } }),
      write('kv{{id}}/a', { k: 'v', n: 5 }),
      write('kv{{id}}/config', { c: 1 }),
      write('kv{{id}}/metadata/b', { m: 1 }),
      write(
        'sys/mounts/kv{{id}}/tune',
        { options: { version: '2' } },
        { status: 200, body_has: { warnings: some } },
      ),
      read('kv{{id}}/data/a', { data: { k: 'v', n: 5 }, metadata: { version: 1 } }),
      read('kv{{id}}/data/config', { data: { c: 1 } }),
      read('kv{{id}}/data/metadata/b', { data: { m: 1 } }),
      ask('LIST', 'kv{{id}}/metadata', undefined, {
        body_has: { data: { keys: ['a', 'config', 'metadata/'] } },
      }),
      write('kv{{id}}/data/a', { data: { k: 'w' }, options: { cas: 1 } }, { status: 200 }),
      read('kv{{id}}/data/a?version=1', { data: { k: 'v', n: 5 } }),
      refused(
        'sys/mounts/kv{{id}}/tune',
        { options: { version: '1' } },
        400,
        'cannot downgrade mount from version 2',
      ),
      refused('sys/mounts/kv{{id}}/tune', { options: { version: '3' } }, 400, 'invalid version provided: 3'),
      read('kv{{id}}/data/a', { data: { k: 'w' } }),
    ],
  },
  {
    name: 'mounts: settings that mean nothing are refused',
    steps: [
      refused(
        'sys/mounts/x{{id}}',
        { type: 'kv', config: { default_lease_ttl: 'soon' } },
        400,
        'unable to parse default TTL of soon: time: invalid duration "soon"',
      ),
      refused(
        'sys/mounts/x{{id}}',
        { type: 'kv', config: { max_lease_ttl: 'late' } },
        400,
        'unable to parse max TTL of late: time: invalid duration "late"',
      ),
      refused(
        'sys/mounts/x{{id}}',
        { type: 'kv', config: { listing_visibility: 'some' } },
        400,
        'invalid listing_visibility some',
      ),
      refused(
        'sys/mounts/x{{id}}',
        { type: 'pki', options: { version: '2' } },
        400,
        'secrets engine "pki" does not allow setting a version',
      ),
      refused(
        'sys/auth/x{{id}}',
        { type: 'userpass', config: { token_type: 'some' } },
        400,
        "invalid value for 'token_type'",
      ),
      refused(
        'sys/auth/x{{id}}',
        { type: 'userpass', options: { version: '2' } },
        400,
        'auth method "userpass" does not allow setting a version',
      ),
    ],
  },
  {
    name: 'mounts: what cannot be tuned',
    steps: [
      write('sys/mounts/x{{id}}', { type: 'kv' }),
      enable('x{{id}}', 'userpass'),
      refused(
        'sys/mounts/x{{id}}/tune',
        { listing_visibility: 'some' },
        400,
        'invalid listing_visibility some',
      ),
      refused(
        'sys/mounts/x{{id}}/tune',
        { token_type: 'batch' },
        400,
        "'token_type' can only be modified on auth mounts",
      ),
      refused(
        'sys/mounts/x{{id}}/tune',
        { default_lease_ttl: '2h', max_lease_ttl: '1h' },
        400,
        'backend max lease TTL of 3600 would be less than backend default lease TTL of 7200',
      ),
      refused('sys/mounts/x{{id}}/tune', { default_lease_ttl: 'soon' }, 400, 'time: invalid duration "soon"'),
      refused('sys/auth/x{{id}}/tune', { token_type: 'some' }, 400, "invalid value for 'token_type'"),
      refused(
        'sys/auth/token/tune',
        { token_type: 'batch' },
        400,
        "'token_type' cannot be set for 'token' or 'ns_token' auth mounts",
      ),
      refused(
        'sys/mounts/sys/tune',
        { description: 'mine' },
        400,
        'cannot tune parameter description of sys/',
      ),
      refused(
        'sys/mounts/none{{id}}/tune',
        { description: 'mine' },
        400,
        'tune of path "none{{id}}/" failed: no mount entry found',
      ),
      ask('GET', 'sys/auth/none{{id}}/tune', undefined, {
        status: 400,
        errors: ['cannot fetch sysview for path "auth/none{{id}}/"'],
      }),
    ],
  },
];
