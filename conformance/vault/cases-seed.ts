import { type Case, type Step, wrapped } from './case.ts';

/** The seed's set-up of one cluster, with names of its own. */
export const clusterSetup = (cluster: string): Step[] => [
  { method: 'POST', path: `sys/auth/kubernetes-${cluster}`, body: { type: 'kubernetes' }, status: 204 },
  {
    method: 'PUT',
    path: `auth/kubernetes-${cluster}/config`,
    body: { kubernetes_host: '{{kubernetes}}', kubernetes_ca_cert: 'ca', disable_local_ca_jwt: true },
    status: 204,
  },
  { method: 'POST', path: `sys/mounts/kubernetes-${cluster}-secrets`, body: { type: 'kv' }, status: 204 },
  {
    method: 'PUT',
    path: `kubernetes-${cluster}-secrets/istiod-service/certs`,
    body: { ca_key: 'key', ca_cert: 'cert', root_cert: 'root', cert_chain: 'chain' },
    status: 204,
  },
  {
    method: 'PUT',
    path: `sys/policies/acl/istiod-certs-${cluster}`,
    body: { policy: `path "kubernetes-${cluster}-secrets/istiod-service/certs" { capabilities = ["read"] }` },
    status: 204,
  },
  {
    method: 'PUT',
    path: `auth/kubernetes-${cluster}/role/istiod`,
    body: {
      bound_service_account_names: 'istiod',
      bound_service_account_namespaces: 'istio-system',
      policies: `istiod-certs-${cluster}`,
      ttl: '24h',
    },
    status: 204,
  },
];

const bundle = { data: { ca_key: 'key', ca_cert: 'cert', root_cert: 'root', cert_chain: 'chain' } };

export const seedCases: readonly Case[] = [
  {
    name: 'seed: two clusters, each istiod reads its own bundle and not the other one',
    steps: [
      {
        method: 'GET',
        path: 'auth/token/lookup-self',
        status: 200,
        body_has: { data: { policies: ['root'], ttl: 0, expire_time: null } },
      },
      ...clusterSetup('a{{id}}'),
      ...clusterSetup('b{{id}}'),
      {
        method: 'PUT',
        path: 'auth/kubernetes-a{{id}}/login',
        as: 'none',
        body: { role: 'istiod', jwt: '{{jwt_istiod}}' },
        status: 200,
        save: { istiod: 'auth.client_token' },
        body_has: {
          lease_id: '',
          data: null,
          auth: {
            policies: ['default', 'istiod-certs-a{{id}}'],
            token_policies: ['default', 'istiod-certs-a{{id}}'],
            lease_duration: 86400,
            renewable: true,
            orphan: true,
            num_uses: 0,
            token_type: 'service',
            mfa_requirement: null,
            metadata: {
              role: 'istiod',
              service_account_name: 'istiod',
              service_account_namespace: 'istio-system',
              service_account_secret_name: '',
              service_account_uid: 'uid-istio-system-istiod',
            },
          },
        },
      },
      {
        method: 'PUT',
        path: 'auth/token/renew-self',
        as: 'istiod',
        body: { increment: 0 },
        status: 200,
        body_has: { auth: { renewable: true } },
      },
      {
        method: 'GET',
        path: 'sys/internal/ui/mounts/kubernetes-a{{id}}-secrets/istiod-service/certs',
        as: 'istiod',
        status: 200,
        body_has: { data: { path: 'kubernetes-a{{id}}-secrets/', type: 'kv' } },
      },
      {
        method: 'GET',
        path: 'kubernetes-a{{id}}-secrets/istiod-service/certs',
        as: 'istiod',
        status: 200,
        body_has: { ...bundle, renewable: false, lease_duration: 2764800, warnings: null },
      },
      {
        method: 'GET',
        path: 'kubernetes-b{{id}}-secrets/istiod-service/certs',
        as: 'istiod',
        status: 403,
        errors: [wrapped('permission denied')],
      },
      {
        method: 'PUT',
        path: 'kubernetes-a{{id}}-secrets/istiod-service/certs',
        as: 'istiod',
        body: { x: 'y' },
        status: 403,
        errors: [wrapped('permission denied')],
      },
      {
        method: 'GET',
        path: 'auth/token/lookup-self',
        as: 'istiod',
        status: 200,
        body_has: {
          data: {
            display_name: 'kubernetes-a{{id}}-istio-system-istiod',
            path: 'auth/kubernetes-a{{id}}/login',
            type: 'service',
            renewable: true,
          },
        },
      },
    ],
  },
  {
    name: 'seed: the role shows what was written, with the old names',
    steps: [
      ...clusterSetup('r{{id}}'),
      {
        method: 'GET',
        path: 'auth/kubernetes-r{{id}}/role/istiod',
        status: 200,
        body_has: {
          data: {
            bound_service_account_names: ['istiod'],
            bound_service_account_namespaces: ['istio-system'],
            policies: ['istiod-certs-r{{id}}'],
            token_policies: ['istiod-certs-r{{id}}'],
            ttl: 86400,
            token_ttl: 86400,
            alias_name_source: 'serviceaccount_uid',
          },
        },
      },
      {
        method: 'LIST',
        path: 'auth/kubernetes-r{{id}}/role',
        status: 200,
        body_has: { data: { keys: ['istiod'] } },
      },
      {
        method: 'GET',
        path: 'auth/kubernetes-r{{id}}/config',
        status: 200,
        body_has: {
          data: {
            kubernetes_host: '{{kubernetes}}',
            kubernetes_ca_cert: 'ca',
            token_reviewer_jwt_set: false,
            disable_iss_validation: true,
          },
        },
      },
    ],
  },
  {
    name: 'seed: disabling the auth mount ends its tokens',
    steps: [
      ...clusterSetup('d{{id}}'),
      {
        method: 'PUT',
        path: 'auth/kubernetes-d{{id}}/login',
        as: 'none',
        body: { role: 'istiod', jwt: '{{jwt_istiod}}' },
        status: 200,
        save: { istiod: 'auth.client_token' },
      },
      { method: 'DELETE', path: 'sys/auth/kubernetes-d{{id}}', status: 204 },
      {
        method: 'GET',
        path: 'auth/token/lookup-self',
        as: 'istiod',
        status: 403,
        errors: ['permission denied'],
        after: 200,
      },
    ],
  },
];
