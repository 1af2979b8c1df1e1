import { type Case, type Expected, wrapped } from './case.ts';
import { issue, mounted, p, role, root } from './pki-steps.ts';

const defaultRole = {
  allow_any_name: false,
  allow_bare_domains: false,
  allow_glob_domains: false,
  allow_ip_sans: true,
  allow_localhost: true,
  allow_subdomains: false,
  allow_wildcard_certificates: true,
  allowed_domains: [],
  allowed_uri_sans: [],
  client_flag: true,
  cn_validations: ['email', 'hostname'],
  enforce_hostnames: true,
  ext_key_usage: [],
  generate_lease: false,
  issuer_ref: 'default',
  key_bits: 2048,
  key_type: 'rsa',
  key_usage: ['DigitalSignature', 'KeyAgreement', 'KeyEncipherment'],
  max_ttl: 0,
  no_store: false,
  not_after: '',
  not_after_bound: 'permit',
  not_before_duration: 30,
  require_cn: true,
  server_flag: true,
  signature_bits: 256,
  ttl: 0,
  use_csr_common_name: true,
  use_csr_sans: true,
} satisfies Expected;

/** Roles, and configuration of a mount. */
export const pkiRoleCases: readonly Case[] = [
  {
    name: 'pki: an empty mount says so, each path in its way',
    steps: [
      mounted(p),
      { method: 'GET', path: `${p}/ca`, as: 'none', status: 204 },
      { method: 'GET', path: `${p}/ca/pem`, as: 'none', status: 204 },
      { method: 'GET', path: `${p}/ca_chain`, as: 'none', status: 204 },
      { method: 'GET', path: `${p}/crl`, as: 'none', status: 204 },
      { method: 'GET', path: `${p}/crl/pem`, as: 'none', status: 204 },
      {
        method: 'GET',
        path: `${p}/cert/ca`,
        as: 'none',
        status: 400,
        errors: ['no default issuer currently configured'],
      },
      {
        method: 'GET',
        path: `${p}/cert/crl`,
        as: 'none',
        status: 500,
        errors: ['no default issuer currently configured'],
      },
      {
        method: 'GET',
        path: `${p}/issuer/default`,
        status: 500,
        errors: [wrapped('no default issuer currently configured')],
      },
      {
        method: 'GET',
        path: `${p}/issuer/default/pem`,
        as: 'none',
        status: 500,
        errors: ['no default issuer currently configured'],
      },
      {
        method: 'GET',
        path: `${p}/issuer/nosuch/json`,
        as: 'none',
        status: 500,
        errors: ['unable to find PKI issuer for reference: nosuch'],
      },
      { method: 'LIST', path: `${p}/issuers`, as: 'none', status: 404, errors: [] },
      { method: 'LIST', path: `${p}/keys`, status: 404, errors: [] },
      { method: 'LIST', path: `${p}/certs`, status: 404, errors: [] },
      { method: 'LIST', path: `${p}/certs/revoked`, status: 404, errors: [] },
      { method: 'GET', path: `${p}/cert/11:22`, as: 'none', status: 404, errors: [] },
      { method: 'GET', path: `${p}/cert/11-22/raw`, as: 'none', status: 204 },
      { method: 'GET', path: `${p}/crl/rotate`, status: 200, body_has: { data: { success: true } } },
      { method: 'GET', path: `${p}/config/issuers`, status: 200, body_has: { data: { default: '' } } },
      { method: 'GET', path: `${p}/config/keys`, status: 200, body_has: { data: { default: '' } } },
      role(p, 'r', {}),
      issue(`${p}/issue/r`, { common_name: 'localhost' }, 500, {
        errors: [
          wrapped(
            'could not fetch the CA certificate (was one set?): no default issuer currently configured',
          ),
        ],
      }),
    ],
  },
  {
    name: 'pki: a role shows every field, is patched and deleted',
    steps: [
      mounted(p),
      {
        method: 'POST',
        path: `${p}/roles/r`,
        body: {},
        status: 200,
        body_has: {
          data: defaultRole,
          warnings: [
            'Issuing Certificate was set to default, but no default issuing certificate (configurable at /config/issuers) is currently set',
          ],
        },
      },
      { method: 'GET', path: `${p}/roles/r`, status: 200, body_has: { data: defaultRole, warnings: null } },
      {
        method: 'PATCH',
        path: `${p}/roles/r`,
        body: { ttl: '1h', allowed_domains: 'a.b,c.d' },
        status: 200,
        body_has: { data: { ...defaultRole, ttl: 3600, allowed_domains: ['a.b', 'c.d'] } },
      },
      {
        method: 'PATCH',
        path: `${p}/roles/nosuch`,
        body: { ttl: '1h' },
        status: 400,
        errors: ['Unable to fetch role entry to patch'],
      },
      { method: 'LIST', path: `${p}/roles`, status: 200, body_has: { data: { keys: ['r'] } } },
      { method: 'DELETE', path: `${p}/roles/r`, status: 204 },
      { method: 'GET', path: `${p}/roles/r`, status: 404, errors: [] },
      { method: 'LIST', path: `${p}/roles`, status: 404, errors: [] },
    ],
  },
  {
    name: 'pki: a role that cannot be is refused',
    steps: [
      mounted(p),
      issue(`${p}/roles/r`, { key_type: 'foo' }, 400, { errors: ['unknown key type foo'] }),
      issue(`${p}/roles/r`, { key_type: 'ec', key_bits: 111 }, 400, {
        errors: ['unsupported bit length for EC key: 111'],
      }),
      issue(`${p}/roles/r`, { key_type: 'rsa', key_bits: 1024 }, 400, {
        errors: ['RSA keys < 2048 bits are unsafe and not supported: got 1024'],
      }),
      issue(`${p}/roles/r`, { ttl: '2h', max_ttl: '1h' }, 400, {
        errors: ['"ttl" value must be less than "max_ttl" value'],
      }),
      issue(`${p}/roles/r`, { cn_validations: 'x' }, 500, {
        errors: [wrapped('cn_validations value incorrect: unknown type: `x`')],
      }),
      issue(`${p}/roles/r`, { not_before_bound: 'x' }, 400, {
        errors: [
          'Unknown value for field `not_before_bound`. Possible values are `permit` `duration` or `forbid`',
        ],
      }),
      issue(`${p}/roles/r`, { ext_key_usage_oids: 'x' }, 400, {
        errors: ['"x" could not be parsed as a valid oid for an extended key usage'],
      }),
      { method: 'GET', path: `${p}/roles/r`, status: 404, errors: [] },
    ],
  },
  {
    name: 'pki: configuration of URLs, issuers, keys, lists and the cluster',
    steps: [
      mounted(p),
      {
        method: 'GET',
        path: `${p}/config/crl`,
        status: 200,
        body_has: {
          data: {
            allow_expired_cert_revocation: false,
            auto_rebuild: false,
            auto_rebuild_grace_period: '12h',
            delta_rebuild_interval: '15m',
            disable: false,
            enable_delta: false,
            expiry: '72h',
            ocsp_disable: false,
            ocsp_expiry: '12h',
          },
        },
      },
      issue(`${p}/config/crl`, { enable_delta: true }, 400, {
        errors: [
          'Delta CRLs cannot be enabled when auto rebuilding is disabled as the complete CRL is always regenerated!',
        ],
      }),
      issue(`${p}/config/crl`, { expiry: 'x' }, 400, {
        errors: ['given expiry could not be decoded: time: invalid duration "x"'],
      }),
      issue(`${p}/config/crl`, { auto_rebuild: true, enable_delta: true, expiry: '24h' }, 200, {
        body_has: { data: { auto_rebuild: true, enable_delta: true, expiry: '24h' } },
      }),
      issue(`${p}/config/urls`, { ocsp_servers: 'foo' }, 400, {
        errors: ['invalid URL found in Authority Information Access (AIA) parameter ocsp_servers: foo'],
      }),
      issue(`${p}/config/urls`, { crl_distribution_points: 'http://a/b,http://a/c' }, 200, {
        body_has: {
          data: { crl_distribution_points: ['http://a/b', 'http://a/c'], issuing_certificates: [] },
        },
      }),
      issue(`${p}/config/issuers`, { default: 'nosuch' }, 400, {
        errors: ['Error resolving issuer reference: unable to find PKI issuer for reference: nosuch'],
      }),
      issue(`${p}/config/issuers`, {}, 400, {
        errors: ["Invalid issuer specification; must be non-empty and can't be 'default'."],
      }),
      issue(`${p}/config/keys`, { default: 'nosuch' }, 400, {
        errors: ['Error resolving issuer reference: unable to find PKI key for reference: nosuch'],
      }),
      issue(`${p}/config/cluster`, { path: 'https://a/v1/pki' }, 200, {
        body_has: { data: { path: 'https://a/v1/pki', aia_path: '' } },
      }),
      root(p),
      issue(`${p}/config/issuers`, { default: '{{issuer}}', default_follows_latest_issuer: true }, 200, {
        body_has: { data: { default: '{{issuer}}', default_follows_latest_issuer: true } },
      }),
    ],
  },
  {
    name: 'pki: tidying',
    steps: [
      mounted(p),
      {
        method: 'GET',
        path: `${p}/tidy-status`,
        status: 200,
        body_has: { data: { state: 'Inactive', safety_buffer: null } },
      },
      issue(`${p}/tidy-cancel`, {}, 200, {
        body_has: {
          data: null,
          warnings: ['Tidy operation cannot be cancelled as none is currently running.'],
        },
      }),
      {
        method: 'GET',
        path: `${p}/config/auto-tidy`,
        status: 200,
        body_has: { data: { enabled: false, interval_duration: 43200, safety_buffer: 259200 } },
      },
      issue(`${p}/config/auto-tidy`, { enabled: true }, 400, {
        errors: [
          'Auto-tidy enabled but no tidy operations were requested. Enable at least one tidy operation to be run (tidy_cert_store / tidy_revoked_certs / tidy_invalid_certs / tidy_revoked_cert_issuer_associations / tidy_expired_issuers / tidy_move_legacy_ca_bundle / tidy_acme).',
        ],
      }),
      issue(`${p}/tidy`, { tidy_cert_store: true, safety_buffer: '1h' }, 202, {
        body_has: {
          warnings: [
            "Tidy operation successfully started. Any information from the operation will be printed to OpenBao's server logs.",
          ],
        },
      }),
      {
        method: 'GET',
        path: `${p}/tidy-status`,
        after: 300,
        status: 200,
        body_has: { data: { state: 'Finished', tidy_cert_store: true, cert_store_deleted_count: 0 } },
      },
    ],
  },
];
