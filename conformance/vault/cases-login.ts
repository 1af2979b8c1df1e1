import { type Case, type Step, wrapped } from './case.ts';
import { clusterSetup } from './cases-seed.ts';

const login = (body: object, status: number, errors: readonly string[]): Step => ({
  method: 'PUT',
  path: 'auth/kubernetes-l{{id}}/login',
  as: 'none',
  body,
  status,
  errors,
});

const refused = (name: string, body: object, status: number, text: string): Case => ({
  name: `login refused: ${name}`,
  steps: [...clusterSetup('l{{id}}'), login(body, status, [text])],
});

const withJwt = (jwt: string): object => ({ role: 'istiod', jwt: `{{${jwt}}}` });

export const loginCases: readonly Case[] = [
  refused('no role', { jwt: '{{jwt_istiod}}' }, 400, 'missing role'),
  refused('no jwt', { role: 'istiod' }, 400, 'missing jwt'),
  refused('unknown role', { role: 'nobody', jwt: '{{jwt_istiod}}' }, 400, 'invalid role name "nobody"'),
  refused('no JWT at all', { role: 'istiod', jwt: 'abc' }, 403, 'permission denied'),
  refused('an algorithm that is not asymmetric', withJwt('jwt_wrong_algorithm'), 403, 'permission denied'),
  refused('expired', withJwt('jwt_expired'), 403, 'invalid expiration time (exp) claim: token is expired'),
  refused(
    'not yet valid',
    withJwt('jwt_not_yet'),
    403,
    'invalid not before (nbf) claim: token not yet valid',
  ),
  refused(
    'issued in the future',
    withJwt('jwt_from_the_future'),
    403,
    'invalid issued at (iat) claim: token issued in the future',
  ),
  refused(
    'another service account',
    withJwt('jwt_other_account'),
    403,
    'service account name not authorized',
  ),
  refused('another namespace', withJwt('jwt_other_namespace'), 403, 'namespace not authorized'),
  refused('no uid', withJwt('jwt_no_uid'), 500, 'could not parse UID from claims'),
  refused('unknown to the API server', withJwt('jwt_refused'), 403, 'permission denied'),
  refused('a review without audiences', withJwt('jwt_no_audiences'), 403, 'permission denied'),
  refused('a review of somebody else', withJwt('jwt_wrong_user'), 403, 'permission denied'),
  {
    name: 'login refused: the role wants another audience',
    steps: [
      ...clusterSetup('l{{id}}'),
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/role/istiod',
        body: {
          bound_service_account_names: 'istiod',
          bound_service_account_namespaces: 'istio-system',
          audience: 'other',
        },
        status: 204,
      },
      login(withJwt('jwt_istiod'), 403, [
        'invalid audience (aud) claim: audience claim does not match any expected audience',
      ]),
    ],
  },
  {
    name: 'login refused: nothing is configured',
    steps: [
      { method: 'POST', path: 'sys/auth/kubernetes-l{{id}}', body: { type: 'kubernetes' }, status: 204 },
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/role/istiod',
        body: { bound_service_account_names: 'istiod', bound_service_account_namespaces: 'istio-system' },
        status: 204,
      },
      login(withJwt('jwt_istiod'), 500, ['could not load backend configuration']),
    ],
  },
  {
    name: 'a wrong configuration or role is refused in the same words',
    steps: [
      { method: 'POST', path: 'sys/auth/kubernetes-l{{id}}', body: { type: 'kubernetes' }, status: 204 },
      { method: 'GET', path: 'auth/kubernetes-l{{id}}/config', status: 404, errors: [] },
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/config',
        body: { kubernetes_ca_cert: 'x' },
        status: 400,
        errors: ['no host provided'],
      },
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/config',
        body: { kubernetes_host: 'http://x', disable_local_ca_jwt: true },
        status: 400,
        errors: ['kubernetes_ca_cert must be given when disable_local_ca_jwt is true'],
      },
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/role/r',
        body: { bound_service_account_namespaces: 'x' },
        status: 400,
        errors: ['"bound_service_account_names" can not be empty'],
      },
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/role/r',
        body: { bound_service_account_names: '*,a', bound_service_account_namespaces: 'x' },
        status: 400,
        errors: ['can not mix "*" with values'],
      },
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/role/r',
        body: {
          bound_service_account_names: 'a',
          bound_service_account_namespaces: 'x',
          ttl: '2h',
          max_ttl: '1h',
        },
        status: 400,
        errors: ['token ttl should not be greater than token max ttl'],
      },
      { method: 'GET', path: 'auth/kubernetes-l{{id}}/role/none', status: 404, errors: [] },
      { method: 'LIST', path: 'auth/kubernetes-l{{id}}/role', status: 404, errors: [] },
    ],
  },
  {
    name: 'a token whose role is gone cannot be renewed',
    steps: [
      ...clusterSetup('l{{id}}'),
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/login',
        as: 'none',
        body: withJwt('jwt_istiod'),
        status: 200,
        save: { istiod: 'auth.client_token' },
      },
      { method: 'DELETE', path: 'auth/kubernetes-l{{id}}/role/istiod', status: 204 },
      {
        method: 'PUT',
        path: 'auth/token/renew-self',
        as: 'istiod',
        body: {},
        status: 500,
        errors: [wrapped('failed to renew entry: role istiod does not exist during renewal')],
      },
    ],
  },
  {
    name: 'a token that has expired is refused like an unknown one',
    steps: [
      ...clusterSetup('l{{id}}'),
      { method: 'PUT', path: 'auth/kubernetes-l{{id}}/role/istiod', body: { ttl: '1s' }, status: 204 },
      {
        method: 'PUT',
        path: 'auth/kubernetes-l{{id}}/login',
        as: 'none',
        body: withJwt('jwt_istiod'),
        status: 200,
        save: { istiod: 'auth.client_token' },
      },
      {
        method: 'GET',
        path: 'auth/token/lookup-self',
        as: 'istiod',
        after: 1300,
        status: 403,
        errors: ['permission denied'],
      },
    ],
  },
];
