import type { Case } from './case.ts';
import { ask, enable, login, read, refused, write } from './steps.ts';

const at = 'auth/k8s{{id}}';
const role = `${at}/role/r`;
const mount = enable('k8s{{id}}', 'kubernetes');
const config = (more: object = {}) =>
  write(`${at}/config`, {
    kubernetes_host: '{{kubernetes}}',
    kubernetes_ca_cert: 'not looked at for http',
    token_reviewer_jwt: 'reviewer',
    ...more,
  });
const bound = { bound_service_account_names: 'istiod', bound_service_account_namespaces: 'istio-system' };
const byLabels = { bound_service_account_names: 'istiod', bound_service_account_namespaces: '' };
const selector = 'bound_service_account_namespace_selector';
const admitted = login(`${at}/login`, { role: 'r', jwt: '{{account_signed}}' }, 'user', {
  metadata: { service_account_name: 'istiod', service_account_namespace: 'istio-system' },
});
const turnedAway = (jwt: string, text: string) =>
  refused(`${at}/login`, { role: 'r', jwt: `{{${jwt}}}` }, 403, text, { as: 'none' });

export const kubernetesCases: readonly Case[] = [
  {
    name: 'kubernetes: a role shows its audience when it has one, and says what the mount will cut',
    steps: [
      mount,
      write(role, bound),
      read(role, { audience: undefined, alias_name_source: 'serviceaccount_uid' }),
      write(role, { ...bound, audience: 'mesh' }),
      read(role, { audience: 'mesh' }),
      write(
        role,
        { ...bound, token_max_ttl: '2000h' },
        {
          status: 200,
          body_has: {
            warnings: [
              "max_ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max TTL value will be truncated",
            ],
          },
        },
      ),
      refused(
        `${at}/role/long`,
        { ...bound, token_period: '2000h' },
        400,
        `token period of '"2000h0m0s"' is greater than the backend's maximum lease TTL of '"768h0m0s"'`,
      ),
    ],
  },
  {
    name: 'kubernetes: public keys are tried before the API server is asked',
    steps: [
      mount,
      config({ pem_keys: '{{signer_pem}}' }),
      write(role, bound),
      admitted,
      turnedAway('account_signed_by_other', 'permission denied'),
      turnedAway('jwt_istiod', 'permission denied'),
    ],
  },
  {
    name: 'kubernetes: the issuer is looked at when asked for',
    steps: [
      mount,
      config({ issuer: 'https://kubernetes.default.svc', disable_iss_validation: false }),
      write(role, bound),
      admitted,
      config({ issuer: 'https://else', disable_iss_validation: false }),
      turnedAway('account_signed', 'invalid issuer (iss) claim'),
      config({ issuer: 'https://else' }),
      admitted,
    ],
  },
  {
    name: 'kubernetes: a namespace is bound by its labels',
    steps: [
      mount,
      config(),
      refused(
        role,
        byLabels,
        400,
        `"bound_service_account_namespaces" can not be empty if "${selector}" is not set`,
      ),
      refused(role, { ...byLabels, [selector]: '[' }, 400, `invalid "${selector}" configured`),
      write(role, { ...byLabels, [selector]: '{"matchLabels":{"mesh":"one"}}' }),
      read(role, { [selector]: '{"matchLabels":{"mesh":"one"}}', bound_service_account_namespaces: [] }),
      admitted,
      write(role, { ...byLabels, [selector]: 'matchLabels:\n  mesh: two\n' }),
      turnedAway('account_signed', 'namespace not authorized'),
      write(role, {
        ...byLabels,
        bound_service_account_namespaces: 'istio-*',
        [selector]: 'matchLabels:\n  mesh: two\n',
      }),
      admitted,
    ],
  },
  {
    name: 'kubernetes: the alias is the uid, or namespace and name',
    steps: [
      mount,
      ask('GET', 'sys/auth/k8s{{id}}', undefined, { save: { mount: 'accessor' } }),
      config(),
      refused(
        role,
        { ...bound, alias_name_source: 'x' },
        400,
        'invalid alias_name_source, must be one of: serviceaccount_uid, serviceaccount_name',
      ),
      write(role, bound),
      admitted,
      write(
        'identity/lookup/entity',
        { alias_name: 'uid-istio-system-istiod', alias_mount_accessor: '{{mount}}' },
        { status: 200 },
      ),
      write(role, { ...bound, alias_name_source: 'serviceaccount_name' }),
      admitted,
      write(
        'identity/lookup/entity',
        { alias_name: 'istio-system/istiod', alias_mount_accessor: '{{mount}}' },
        {
          status: 200,
          body_has: {
            data: {
              aliases: (all: unknown) => JSON.stringify(all).includes('"service_account_name":"istiod"'),
            },
          },
        },
      ),
    ],
  },
  {
    name: 'kubernetes: signatures by the keys that the API server publishes, without a review',
    skip: { openbao: 'local_jwks is ours: upstream always makes a TokenReview' },
    steps: [
      mount,
      config({ local_jwks: true }),
      read(`${at}/config`, { local_jwks: true }),
      write(role, bound),
      admitted,
      turnedAway('account_signed_by_other', 'permission denied'),
      turnedAway('jwt_istiod', 'permission denied'),
    ],
  },
];
