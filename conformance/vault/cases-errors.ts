import { type Case, wrapped } from './case.ts';

export const errorCases: readonly Case[] = [
  {
    name: 'errors: no token and a wrong token look alike',
    steps: [
      { method: 'GET', path: 'sys/mounts', as: 'none', status: 403, errors: ['permission denied'] },
      { method: 'GET', path: 'sys/mounts', as: 'nosuch', status: 403, errors: ['permission denied'] },
    ],
  },
  {
    name: 'errors: unknown mount, path and operation',
    steps: [
      {
        method: 'GET',
        path: 'nosuch{{id}}/foo',
        status: 404,
        errors: ['no handler for route "nosuch{{id}}/foo". route entry not found.'],
      },
      { method: 'GET', path: 'sys/nosuch{{id}}', status: 404, errors: [wrapped('unsupported path')] },
      { method: 'DELETE', path: 'sys/mounts', status: 405, errors: [wrapped('unsupported operation')] },
    ],
  },
  {
    name: 'errors: a body that is no JSON, a field of the wrong type',
    steps: [
      { method: 'PUT', path: 'sys/policies/acl/x', body: '{"policy":', status: 400 },
      { method: 'POST', path: 'auth/token/create', body: { renewable: { a: 1 } }, status: 400 },
    ],
  },
  {
    name: 'errors: relative paths are refused',
    steps: [
      { method: 'GET', path: 'sys/%2e%2e/mounts', status: 400, errors: ['relative paths not supported'] },
    ],
  },
  {
    name: 'mounts: the table, the tune, what cannot be mounted',
    steps: [
      {
        method: 'POST',
        path: 'sys/mounts/m{{id}}',
        body: {
          type: 'kv',
          description: 'd',
          config: { default_lease_ttl: '1h', max_lease_ttl: '2h', options: null },
        },
        status: 204,
      },
      {
        method: 'POST',
        path: 'sys/mounts/m{{id}}',
        body: { type: 'kv' },
        status: 400,
        errors: ['path is already in use at m{{id}}/'],
      },
      {
        method: 'GET',
        path: 'sys/mounts',
        status: 200,
        body_has: {
          data: {
            'm{{id}}/': {
              type: 'kv',
              description: 'd',
              config: { default_lease_ttl: 3600, max_lease_ttl: 7200 },
            },
          },
          'm{{id}}/': { type: 'kv' },
          'sys/': { type: 'system' },
        },
      },
      {
        method: 'GET',
        path: 'sys/mounts/m{{id}}/tune',
        status: 200,
        body_has: { data: { default_lease_ttl: 3600, max_lease_ttl: 7200, description: 'd' } },
      },
      {
        method: 'POST',
        path: 'sys/mounts/m{{id}}/tune',
        body: { default_lease_ttl: '30m', max_lease_ttl: '' },
        status: 204,
      },
      {
        method: 'GET',
        path: 'sys/mounts/m{{id}}/tune',
        status: 200,
        body_has: { data: { default_lease_ttl: 1800, max_lease_ttl: 7200 } },
      },
      { method: 'PUT', path: 'm{{id}}/a', body: { k: 'v' }, status: 204 },
      { method: 'GET', path: 'm{{id}}/a', status: 200, body_has: { lease_duration: 1800 } },
      { method: 'DELETE', path: 'sys/mounts/m{{id}}', status: 204 },
      { method: 'DELETE', path: 'sys/mounts/m{{id}}', status: 204 },
      {
        method: 'GET',
        path: 'sys/mounts/m{{id}}',
        status: 400,
        errors: ['No secret engine mount at m{{id}}/'],
      },
      { method: 'POST', path: 'sys/mounts/m{{id}}', body: { type: 'nosuch' }, status: 400 },
      {
        method: 'POST',
        path: 'sys/mounts/m{{id}}',
        body: {},
        status: 400,
        errors: ['backend type must be specified as a string'],
      },
      { method: 'POST', path: 'sys/mounts/sys/x', body: { type: 'kv' }, status: 400 },
    ],
  },
  {
    name: 'auth mounts: the table and the tune',
    steps: [
      { method: 'POST', path: 'sys/auth/m{{id}}', body: { type: 'kubernetes' }, status: 204 },
      {
        method: 'POST',
        path: 'sys/auth/m{{id}}',
        body: { type: 'kubernetes' },
        status: 400,
        errors: ['path is already in use at m{{id}}/'],
      },
      {
        method: 'POST',
        path: 'sys/mounts/auth/m{{id}}/tune',
        body: { default_lease_ttl: '1h' },
        status: 204,
      },
      {
        method: 'GET',
        path: 'sys/auth/m{{id}}/tune',
        status: 200,
        body_has: { data: { default_lease_ttl: 3600, token_type: 'default-service' } },
      },
      {
        method: 'GET',
        path: 'sys/auth',
        status: 200,
        body_has: { data: { 'm{{id}}/': { type: 'kubernetes' }, 'token/': { type: 'token' } } },
      },
      { method: 'DELETE', path: 'sys/auth/m{{id}}', status: 204 },
      {
        method: 'DELETE',
        path: 'sys/auth/token',
        status: 400,
        errors: ['token credential backend cannot be disabled'],
      },
    ],
  },
  {
    name: 'preflight: 403 for what is missing and what is forbidden',
    steps: [
      {
        method: 'GET',
        path: 'sys/internal/ui/mounts/nosuch{{id}}/a',
        status: 403,
        errors: [
          'preflight capability check returned 403, please ensure client\'s policies grant access to path "nosuch{{id}}/a/"',
        ],
      },
      {
        method: 'GET',
        path: 'sys/internal/ui/mounts/nosuch{{id}}/a',
        as: 'none',
        status: 403,
        errors: ['permission denied'],
      },
    ],
  },
  {
    name: 'lifecycle: status, health and leader need no token',
    steps: [
      { method: 'GET', path: 'sys/init', as: 'none', status: 200, body_has: { initialized: true } },
      {
        method: 'GET',
        path: 'sys/seal-status',
        as: 'none',
        status: 200,
        body_has: { sealed: false, type: 'shamir', progress: 0 },
      },
      {
        method: 'GET',
        path: 'sys/health',
        as: 'none',
        status: 200,
        body_has: { initialized: true, sealed: false, standby: false },
      },
      { method: 'GET', path: 'sys/health?activecode=299', as: 'none', status: 299 },
      { method: 'GET', path: 'sys/leader', as: 'none', status: 200, body_has: { ha_enabled: false } },
      {
        method: 'PUT',
        path: 'sys/init',
        as: 'none',
        body: { secret_shares: 1, secret_threshold: 1 },
        status: 400,
        errors: ['Vault is already initialized'],
      },
      { method: 'PUT', path: 'sys/unseal', as: 'none', body: {}, status: 400 },
    ],
  },
  {
    name: 'leases: lookup, renew, revoke',
    steps: [
      {
        method: 'PUT',
        path: 'sys/leases/lookup',
        body: { lease_id: 'nosuch' },
        status: 400,
        errors: ['invalid lease'],
      },
      {
        method: 'PUT',
        path: 'sys/leases/renew',
        body: { lease_id: 'nosuch' },
        status: 400,
        errors: ['lease not found'],
      },
      { method: 'PUT', path: 'sys/leases/revoke', body: { lease_id: 'nosuch' }, status: 204 },
      {
        method: 'POST',
        path: 'auth/token/create',
        body: { ttl: '1h', policies: ['default'] },
        status: 200,
        save: { user: 'auth.client_token' },
      },
      { method: 'LIST', path: 'sys/leases/lookup/auth/token/create', status: 200 },
      { method: 'LIST', path: 'sys/leases/lookup/nosuch{{id}}', status: 404, errors: [] },
    ],
  },
];
