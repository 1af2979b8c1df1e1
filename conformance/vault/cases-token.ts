import { type Case, type Step, wrapped } from './case.ts';

const create = (body: object, save = 'user'): Step => ({
  method: 'POST',
  path: 'auth/token/create',
  body,
  status: 200,
  save: { [save]: 'auth.client_token', [`${save}_accessor`]: 'auth.accessor' },
});
const dead = (as: string): Step => ({
  method: 'GET',
  path: 'auth/token/lookup-self',
  as,
  status: 403,
  errors: ['permission denied'],
});
const alive = (as: string): Step => ({ method: 'GET', path: 'auth/token/lookup-self', as, status: 200 });

export const tokenCases: readonly Case[] = [
  {
    name: 'token: a child with policies, ttl and metadata',
    steps: [
      {
        ...create({ policies: ['default'], ttl: '1h', meta: { a: 'b' }, display_name: 'joe' }),
        body_has: {
          auth: {
            policies: ['default'],
            lease_duration: 3600,
            metadata: { a: 'b' },
            orphan: false,
            renewable: true,
            num_uses: 0,
          },
        },
      },
      {
        method: 'POST',
        path: 'auth/token/lookup',
        body: { token: '{{user}}' },
        status: 200,
        body_has: {
          data: {
            id: '{{user}}',
            display_name: 'token-joe',
            creation_ttl: 3600,
            explicit_max_ttl: 0,
            meta: { a: 'b' },
            path: 'auth/token/create',
          },
        },
      },
      {
        method: 'POST',
        path: 'auth/token/lookup-accessor',
        body: { accessor: '{{user_accessor}}' },
        status: 200,
        body_has: { data: { id: '', accessor: '{{user_accessor}}' } },
      },
      {
        method: 'PUT',
        path: 'auth/token/renew-self',
        as: 'user',
        body: { increment: 7200 },
        status: 200,
        body_has: { auth: { lease_duration: 7200 } },
      },
    ],
  },
  {
    name: 'token: revoking a parent ends its children',
    steps: [
      {
        method: 'PUT',
        path: 'sys/policies/acl/t{{id}}',
        body: { policy: 'path "auth/token/create" { capabilities = ["update"] }' },
        status: 204,
      },
      create({ policies: ['t{{id}}'] }, 'parent'),
      { ...create({ policies: ['default'] }, 'child'), as: 'parent' },
      alive('child'),
      { method: 'PUT', path: 'auth/token/revoke', body: { token: '{{parent}}' }, status: 204 },
      { ...dead('parent'), after: 100 },
      dead('child'),
    ],
  },
  {
    name: 'token: a child may not have more than its parent',
    steps: [
      {
        method: 'PUT',
        path: 'sys/policies/acl/t{{id}}',
        body: { policy: 'path "auth/token/create" { capabilities = ["update"] }' },
        status: 204,
      },
      create({ policies: ['t{{id}}'] }, 'parent'),
      {
        method: 'POST',
        path: 'auth/token/create',
        as: 'parent',
        body: { policies: ['other'] },
        status: 400,
        errors: ['child policies must be subset of parent'],
      },
      {
        method: 'POST',
        path: 'auth/token/create',
        as: 'parent',
        body: { no_parent: true },
        status: 400,
        errors: ['root or sudo privileges required to create orphan token'],
      },
      {
        method: 'POST',
        path: 'auth/token/create',
        as: 'parent',
        body: { period: '1h' },
        status: 400,
        errors: ['root or sudo privileges required to create periodic token'],
      },
    ],
  },
  {
    name: 'token: a limited number of uses',
    steps: [create({ policies: ['default'], num_uses: 2 }), alive('user'), alive('user'), dead('user')],
  },
  {
    name: 'token: renewal stops at the explicit maximum',
    steps: [
      create({ policies: ['default'], ttl: '60s', explicit_max_ttl: '100s' }),
      {
        method: 'PUT',
        path: 'auth/token/renew-self',
        as: 'user',
        body: { increment: 3600 },
        status: 200,
        body_has: { auth: { lease_duration: (n: unknown) => typeof n === 'number' && n <= 100 && n > 95 } },
      },
    ],
  },
  {
    name: 'token: what is not there or not allowed',
    steps: [
      {
        method: 'POST',
        path: 'auth/token/lookup',
        body: { token: 'nosuch' },
        status: 403,
        errors: ['bad token'],
      },
      {
        method: 'POST',
        path: 'auth/token/lookup-accessor',
        body: { accessor: 'nosuch' },
        status: 400,
        errors: [wrapped('invalid accessor')],
      },
      {
        method: 'PUT',
        path: 'auth/token/renew',
        body: { token: 'nosuch' },
        status: 400,
        errors: ['token not found'],
      },
      { method: 'PUT', path: 'auth/token/revoke', body: { token: 'nosuch' }, status: 204 },
      { method: 'PUT', path: 'auth/token/revoke', body: {}, status: 400, errors: ['missing token ID'] },
      { method: 'POST', path: 'auth/token/create', body: { ttl: 'x' }, status: 400 },
    ],
  },
  {
    name: 'token: by accessor, and the list of accessors',
    steps: [
      create({ policies: ['default'] }),
      { method: 'LIST', path: 'auth/token/accessors', status: 200 },
      {
        method: 'PUT',
        path: 'auth/token/revoke-accessor',
        body: { accessor: '{{user_accessor}}' },
        status: 204,
      },
      { ...dead('user'), after: 100 },
    ],
  },
  {
    name: 'wrapping: the wrapping token itself may unwrap, and do nothing else',
    steps: [
      {
        method: 'POST',
        path: 'sys/wrapping/wrap',
        headers: { 'X-Vault-Wrap-TTL': '60s' },
        body: { a: 'b' },
        status: 200,
        save: { wrap: 'wrap_info.token' },
      },
      {
        method: 'POST',
        path: 'sys/wrapping/unwrap',
        as: 'wrap',
        body: {},
        status: 200,
        body_has: { data: { a: 'b' } },
      },
      {
        method: 'POST',
        path: 'sys/wrapping/unwrap',
        as: 'wrap',
        body: {},
        status: 400,
        errors: ['wrapping token is not valid or does not exist'],
      },
    ],
  },
  {
    name: 'wrapping: an answer is given once',
    steps: [
      {
        method: 'POST',
        path: 'sys/wrapping/wrap',
        headers: { 'X-Vault-Wrap-TTL': '60' },
        body: { a: 'b' },
        status: 200,
        save: { wrap: 'wrap_info.token' },
        body_has: { wrap_info: { ttl: 60, creation_path: 'sys/wrapping/wrap' } },
      },
      {
        method: 'POST',
        path: 'sys/wrapping/lookup',
        as: 'none',
        body: { token: '{{wrap}}' },
        status: 200,
        body_has: { data: { creation_ttl: 60 } },
      },
      {
        method: 'POST',
        path: 'sys/wrapping/unwrap',
        body: { token: '{{wrap}}' },
        status: 200,
        body_has: { data: { a: 'b' } },
      },
      {
        method: 'POST',
        path: 'sys/wrapping/unwrap',
        body: { token: '{{wrap}}' },
        status: 400,
        errors: ['wrapping token is not valid or does not exist'],
      },
      {
        method: 'POST',
        path: 'sys/wrapping/wrap',
        body: { a: 'b' },
        status: 400,
        errors: ['endpoint requires response wrapping to be used'],
      },
    ],
  },
];
