import { type Case, type Expected, type Step, wrapped } from './case.ts';

/** `{{csr_*}}` are requests of the fixtures; `{{mount}}` does not exist, so mounts carry the id of the case. */
const mounted = (name: string): Step => ({
  method: 'POST',
  path: `sys/mounts/${name}`,
  body: { type: 'pki', config: { max_lease_ttl: '87600h' } },
  status: 204,
});

const root = (mount: string, more: object = {}): Step => ({
  method: 'POST',
  path: `${mount}/root/generate/internal`,
  body: {
    common_name: 'Root CA',
    organization: 'Istio',
    key_type: 'ec',
    key_bits: 256,
    ttl: '87600h',
    ...more,
  },
  status: 200,
  save: {
    rootPem: 'data.certificate',
    issuer: 'data.issuer_id',
    key: 'data.key_id',
    rootSerial: 'data.serial_number',
  },
});

const role = (mount: string, name: string, body: object): Step => ({
  method: 'POST',
  path: `${mount}/roles/${name}`,
  body: { key_type: 'ec', key_bits: 256, ...body },
  status: 200,
});

const begins =
  (text: string) =>
  (value: unknown): boolean =>
    typeof value === 'string' && value.startsWith(text);
const matches =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value);
const isNumber = (value: unknown): boolean => typeof value === 'number' && value > 0;
const serial = matches(/^([0-9a-f]{2}:){19}[0-9a-f]{2}$/);

const issue = (path: string, body: object, status: number, more: Partial<Step> = {}): Step => ({
  method: 'POST',
  path,
  body,
  status,
  ...more,
});

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

const p = 'pki{{id}}';

export const pkiCases: readonly Case[] = [
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
    name: 'pki: a root, its issuer and its key',
    steps: [
      mounted(p),
      {
        ...root(p, { issuer_name: 'one' }),
        body_has: {
          lease_id: '',
          data: {
            certificate: begins('-----BEGIN CERTIFICATE-----\n'),
            issuing_ca: begins('-----BEGIN CERTIFICATE-----\n'),
            serial_number: serial,
            expiration: isNumber,
            issuer_name: 'one',
            key_name: '',
          },
        },
      },
      {
        method: 'GET',
        path: `${p}/issuer/one`,
        status: 200,
        body_has: {
          data: {
            certificate: '{{rootPem}}\n',
            ca_chain: ['{{rootPem}}\n'],
            issuer_id: '{{issuer}}',
            issuer_name: 'one',
            key_id: '{{key}}',
            leaf_not_after_behavior: 'err',
            manual_chain: null,
            revocation_signature_algorithm: 'ECDSAWithSHA256',
            revoked: false,
            usage: 'crl-signing,issuing-certificates,ocsp-signing,read-only',
            issuing_certificates: [],
            crl_distribution_points: [],
            delta_crl_distribution_points: [],
            ocsp_servers: [],
          },
        },
      },
      {
        method: 'GET',
        path: `${p}/issuer/one/json`,
        as: 'none',
        status: 200,
        body_has: { data: { certificate: '{{rootPem}}\n', issuer_id: '{{issuer}}' } },
      },
      {
        method: 'LIST',
        path: `${p}/issuers`,
        as: 'none',
        status: 200,
        body_has: {
          data: {
            keys: ['{{issuer}}'],
            key_info: {
              '{{issuer}}': {
                is_default: true,
                issuer_name: 'one',
                key_id: '{{key}}',
                serial_number: '{{rootSerial}}',
              },
            },
          },
        },
      },
      {
        method: 'LIST',
        path: `${p}/keys`,
        status: 200,
        body_has: { data: { key_info: { '{{key}}': { is_default: true, key_name: '' } } } },
      },
      {
        method: 'GET',
        path: `${p}/key/default`,
        status: 200,
        body_has: {
          data: {
            key_id: '{{key}}',
            key_type: 'ec',
            subject_key_id: matches(/^([0-9a-f]{2}:){19}[0-9a-f]{2}$/),
          },
        },
      },
      {
        method: 'GET',
        path: `${p}/cert/{{rootSerial}}`,
        as: 'none',
        status: 200,
        body_has: { data: { certificate: '{{rootPem}}', revocation_time: 0, revocation_time_rfc3339: '' } },
      },
      { method: 'LIST', path: `${p}/certs`, status: 200, body_has: { data: { keys: ['{{rootSerial}}'] } } },
      {
        method: 'GET',
        path: `${p}/key/nosuch`,
        status: 500,
        errors: [wrapped('unable to find PKI key for reference: nosuch')],
      },
      {
        method: 'DELETE',
        path: `${p}/key/{{key}}`,
        status: 400,
        errors: ['Failed to Delete Key.  Key in Use by Issuer: {{issuer}}'],
      },
      {
        method: 'DELETE',
        path: `${p}/root`,
        status: 200,
        body_has: {
          data: null,
          warnings: [
            'DELETE /root deletes all keys and issuers; prefer the new DELETE /key/:key_ref and DELETE /issuer/:issuer_ref for finer granularity, unless removal of all keys and issuers is desired.',
          ],
        },
      },
      { method: 'LIST', path: `${p}/issuers`, status: 404, errors: [] },
    ],
  },
  {
    name: 'pki: exported and existing keys, rotation, and what is refused',
    steps: [
      mounted(p),
      {
        method: 'POST',
        path: `${p}/root/generate/exported`,
        body: { common_name: 'R', key_type: 'ec', key_name: 'k' },
        status: 200,
        save: { key: 'data.key_id' },
        body_has: {
          data: {
            private_key: begins('-----BEGIN EC PRIVATE KEY-----\n'),
            private_key_type: 'ec',
            key_name: 'k',
          },
        },
      },
      {
        method: 'POST',
        path: `${p}/root/rotate/exported`,
        body: { common_name: 'R2', key_type: 'ed25519', private_key_format: 'pkcs8' },
        status: 200,
        body_has: {
          data: {
            issuer_name: 'next',
            private_key: begins('-----BEGIN PRIVATE KEY-----\n'),
            private_key_type: 'ed25519',
          },
        },
      },
      {
        method: 'POST',
        path: `${p}/root/generate/existing`,
        body: { common_name: 'R3', key_ref: 'k' },
        status: 200,
        body_has: { data: { key_id: '{{key}}', key_name: 'k' } },
      },
      { method: 'POST', path: `${p}/root/replace`, body: {}, status: 200 },
      {
        method: 'GET',
        path: `${p}/issuer/default`,
        status: 200,
        body_has: { data: { issuer_name: 'next' } },
      },
      issue(`${p}/root/generate/internal`, { common_name: 'x', key_type: 'ec', issuer_name: 'next' }, 400, {
        errors: ['issuer name already in use'],
      }),
      issue(`${p}/root/generate/internal`, { common_name: 'x', key_type: 'foo' }, 400, {
        errors: ['unknown key type foo'],
      }),
      issue(`${p}/root/generate/foo`, { common_name: 'x' }, 400, {
        errors: ['the "exported" path parameter must be "internal", "existing", exported" or "kms"'],
      }),
      issue(`${p}/root/generate/internal`, { common_name: 'x', key_type: 'ec', format: 'foo' }, 400, {
        errors: ['the "format" path parameter must be "pem", "der", or "pem_bundle"'],
      }),
    ],
  },
  {
    name: 'pki: leaves by name, and the names that a role does not allow',
    steps: [
      mounted(p),
      root(p),
      role(p, 'r', { allowed_domains: 'example.com', allow_subdomains: true, max_ttl: '72h' }),
      issue(
        `${p}/issue/r`,
        { common_name: 'a.example.com', alt_names: 'b.example.com', ip_sans: '10.0.0.1' },
        200,
        {
          save: { leaf: 'data.serial_number' },
          body_has: {
            lease_id: '',
            lease_duration: 0,
            data: {
              certificate: begins('-----BEGIN CERTIFICATE-----\n'),
              issuing_ca: '{{rootPem}}',
              ca_chain: ['{{rootPem}}'],
              private_key: begins('-----BEGIN EC PRIVATE KEY-----\n'),
              private_key_type: 'ec',
              serial_number: serial,
              not_before: isNumber,
              expiration: isNumber,
            },
          },
        },
      ),
      issue(
        `${p}/issue/r`,
        { common_name: 'a.example.com', ttl: '9000h', private_key_format: 'pkcs8' },
        200,
        {
          body_has: {
            data: { private_key: begins('-----BEGIN PRIVATE KEY-----\n') },
            warnings: ['TTL "9000h0m0s" is longer than permitted maxTTL "72h0m0s", so maxTTL is being used'],
          },
        },
      ),
      issue(`${p}/issue/r`, { common_name: 'a.example.com', format: 'der' }, 200, {
        body_has: { data: { certificate: begins('MII'), private_key: begins('MH') } },
      }),
      issue(`${p}/issue/nosuch`, { common_name: 'a' }, 400, { errors: ['unknown role: nosuch'] }),
      issue(`${p}/issue/r`, { common_name: 'example.com' }, 400, {
        errors: ['common name example.com not allowed by this role'],
      }),
      issue(`${p}/issue/r`, { common_name: 'a.example.com', alt_names: 'a.org' }, 400, {
        errors: ['subject alternate name a.org not allowed by this role'],
      }),
      issue(`${p}/issue/r`, { common_name: 'a b.example.com' }, 400, {
        errors: ['common name a b.example.com not allowed by this role'],
      }),
      issue(`${p}/issue/r`, { common_name: 'aexample.com' }, 400, {
        errors: ['common name aexample.com not allowed by this role'],
      }),
      issue(`${p}/issue/r`, { common_name: 'me@example.com' }, 400, {
        errors: ['common name me@example.com not allowed by this role'],
      }),
      issue(`${p}/issue/r`, { common_name: '*.example.com' }, 200),
      issue(`${p}/issue/r`, { common_name: '*.*.example.com' }, 400, {
        errors: ['common name *.*.example.com not allowed by this role'],
      }),
      issue(`${p}/issue/r`, { common_name: 'localhost' }, 200),
      issue(`${p}/issue/r`, { common_name: 'a.example.com', ip_sans: 'x' }, 400, {
        errors: ['the value "x" is not a valid IP address'],
      }),
      issue(`${p}/issue/r`, { common_name: 'a.example.com', uri_sans: 'spiffe://a/b' }, 400, {
        errors: ['URI Subject Alternative Names are not allowed in this role, but were provided via the API'],
      }),
      issue(`${p}/issue/r`, { common_name: 'a.example.com', other_sans: '1.2.3;utf8:x' }, 400, {
        errors: ['other SAN OID 1.2.3 not allowed by this role'],
      }),
      issue(`${p}/issue/r`, {}, 400, {
        errors: [
          'the common_name field is required, or must be provided in a CSR with "use_csr_common_name" set to true, unless "require_cn" is set to false',
        ],
      }),
      issue(`${p}/issue/r`, { common_name: 'a.example.com', format: 'foo' }, 400, {
        errors: ['the "format" path parameter must be "pem", "der", or "pem_bundle"'],
      }),
      issue(
        `${p}/issue/r`,
        { common_name: 'a.example.com', ttl: '1h', not_after: '2099-01-01T00:00:00Z' },
        400,
        {
          errors: [
            'Either ttl or not_after should be provided. Both should not be provided in the same request.',
          ],
        },
      ),
      {
        method: 'GET',
        path: `${p}/cert/{{leaf}}`,
        as: 'none',
        status: 200,
        body_has: { data: { revocation_time: 0 } },
      },
    ],
  },
  {
    name: 'pki: SPIFFE identities by globs, without a common name',
    steps: [
      mounted(p),
      root(p),
      role(p, 'spiffe', {
        allowed_uri_sans: 'spiffe://cluster.local/ns/*/sa/web',
        require_cn: false,
        no_store: true,
        ttl: '1h',
      }),
      issue(`${p}/sign/spiffe`, { csr: '{{csr_spiffe}}' }, 200, {
        save: { leaf: 'data.serial_number' },
        body_has: {
          data: { certificate: begins('-----BEGIN CERTIFICATE-----\n'), ca_chain: ['{{rootPem}}'] },
        },
      }),
      { method: 'GET', path: `${p}/cert/{{leaf}}`, status: 404, errors: [] },
      issue(`${p}/sign/spiffe`, { csr: '{{csr_other_spiffe}}' }, 400, {
        errors: ['URI Subject Alternative Names were provided via CSR which are not valid for this role'],
      }),
      issue(`${p}/issue/spiffe`, { uri_sans: 'spiffe://cluster.local/ns/demo/sa/web' }, 200),
      issue(`${p}/issue/spiffe`, { uri_sans: 'spiffe://cluster.local/ns/demo/sa/other' }, 400, {
        errors: ['URI Subject Alternative Names were provided via the API which are not valid for this role'],
      }),
    ],
  },
  {
    name: 'pki: requests that are signed, and those that cannot be',
    steps: [
      mounted(p),
      root(p),
      role(p, 'r', { allow_any_name: true }),
      issue(`${p}/sign/r`, { csr: '{{csr_web}}', common_name: 'not.this' }, 200, {
        body_has: {
          data: { serial_number: serial, issuing_ca: '{{rootPem}}' },
          warnings: [
            'the common_name field was provided but the role is set with "use_csr_common_name" set to true',
          ],
        },
      }),
      issue(`${p}/sign-verbatim`, { csr: '{{csr_web}}' }, 200),
      issue(`${p}/sign-verbatim/r`, { csr: '{{csr_web}}', format: 'der' }, 200, {
        body_has: { data: { certificate: begins('MII') } },
      }),
      issue(`${p}/issuer/default/sign/r`, { csr: '{{csr_web}}' }, 200),
      issue(`${p}/sign-verbatim/nosuch`, { csr: '{{csr_web}}' }, 400, { errors: ['unknown role: nosuch'] }),
      issue(`${p}/sign/r`, {}, 400, { errors: ['"csr" is empty'] }),
      issue(`${p}/sign/r`, { csr: 'x' }, 400, { errors: ['csr contains no data'] }),
      issue(`${p}/sign/r`, { csr: '{{csr_forged}}' }, 400, { errors: ['request signature invalid'] }),
      role(p, 'strong', { allow_any_name: true, key_bits: 384 }),
      issue(`${p}/sign/strong`, { csr: '{{csr_web}}' }, 400, {
        errors: ["role requires a minimum of a 384-bit key, but CSR's key is 256 bits"],
      }),
      role(p, 'rsa', { allow_any_name: true, key_type: 'rsa', key_bits: 2048 }),
      issue(`${p}/sign/rsa`, { csr: '{{csr_web}}' }, 400, { errors: ['role requires keys of type rsa'] }),
    ],
  },
  {
    name: 'pki: leases of leaves, where the role asks for them',
    steps: [
      mounted(p),
      root(p),
      {
        ...role(p, 'r', { allow_any_name: true, generate_lease: true, ttl: '1h' }),
        body_has: {
          warnings: [
            "it is encouraged to disable generate_lease and rely on PKI's native capabilities when possible; this option can cause instance-wide issues with large numbers of issued certificates",
          ],
        },
      },
      issue(`${p}/issue/r`, { common_name: 'a.b' }, 200, {
        save: { lease: 'lease_id' },
        body_has: {
          lease_id: matches(/^pki[0-9a-f]{8}\/issue\/r\/[A-Za-z0-9]{24}$/),
          renewable: false,
          lease_duration: (value: unknown) => typeof value === 'number' && value > 3590 && value <= 3600,
        },
      }),
      {
        method: 'PUT',
        path: 'sys/leases/lookup',
        body: { lease_id: '{{lease}}' },
        status: 200,
        body_has: { data: { id: '{{lease}}', renewable: false } },
      },
      { method: 'PUT', path: 'sys/leases/revoke', body: { lease_id: '{{lease}}' }, status: 204 },
    ],
  },
  {
    name: 'pki: a leaf that would outlive its issuer: err, truncate, permit',
    steps: [
      mounted(p),
      root(p, { ttl: '1h' }),
      role(p, 'r', { allow_any_name: true }),
      issue(`${p}/issue/r`, { common_name: 'a.b', ttl: '2h' }, 400, {
        body_has: {
          errors: (value: unknown) =>
            matches(
              /^cannot satisfy request, as TTL would result in notAfter of \d{4}-\S+Z that is beyond the expiration of the CA certificate at \d{4}-\S+Z$/,
            )((value as string[])[0]),
        },
      }),
      {
        method: 'PATCH',
        path: `${p}/issuer/default`,
        body: { leaf_not_after_behavior: 'truncate' },
        status: 200,
        body_has: { data: { leaf_not_after_behavior: 'truncate' } },
      },
      issue(`${p}/issue/r`, { common_name: 'a.b', ttl: '2h' }, 200),
      {
        method: 'PATCH',
        path: `${p}/issuer/default`,
        body: { leaf_not_after_behavior: 'permit' },
        status: 200,
      },
      issue(`${p}/issue/r`, { common_name: 'a.b', ttl: '2h' }, 200),
      {
        method: 'POST',
        path: `${p}/issuer/default`,
        body: { leaf_not_after_behavior: 'x' },
        status: 400,
        errors: [
          'Unknown value for field `leaf_not_after_behavior`. Possible values are `err`, `truncate`, and `permit`.',
        ],
      },
    ],
  },
  {
    name: 'pki: an intermediate that outlives its root',
    skip: {
      openbao: 'signs it with a warning; ours refuses, for its chain breaks before the certificate ends',
    },
    steps: [
      mounted(p),
      root(p, { ttl: '1h' }),
      issue(`${p}/root/sign-intermediate`, { csr: '{{csr_web}}', common_name: 'I', ttl: '2h' }, 400),
    ],
  },
  {
    name: 'pki: an intermediate of another mount, from request to its leaves',
    steps: [
      mounted(p),
      mounted(`i${p}`),
      root(p),
      issue(`i${p}/intermediate/generate/internal`, { common_name: 'Intermediate CA', key_type: 'ec' }, 200, {
        save: { csr: 'data.csr', interKey: 'data.key_id' },
        body_has: { data: { csr: begins('-----BEGIN CERTIFICATE REQUEST-----\n') } },
      }),
      issue(`${p}/root/sign-intermediate`, { csr: '{{csr}}', use_csr_values: true, ttl: '2160h' }, 200, {
        save: { inter: 'data.certificate' },
        body_has: { data: { ca_chain: ['{{inter}}', '{{rootPem}}'], issuing_ca: '{{rootPem}}' } },
      }),
      issue(`i${p}/intermediate/set-signed`, { certificate: '{{inter}}\n{{rootPem}}' }, 200, {
        body_has: {
          data: {
            imported_issuers: (value: unknown) => Array.isArray(value) && value.length === 2,
            imported_keys: null,
            existing_issuers: null,
            existing_keys: null,
          },
        },
      }),
      issue(`i${p}/intermediate/set-signed`, { certificate: '{{inter}}' }, 200, {
        body_has: {
          data: {
            imported_issuers: null,
            existing_issuers: (value: unknown) => Array.isArray(value) && value.length === 1,
          },
        },
      }),
      {
        method: 'GET',
        path: `i${p}/issuer/default`,
        status: 200,
        body_has: { data: { key_id: '{{interKey}}', ca_chain: ['{{inter}}\n', '{{rootPem}}\n'] } },
      },
      role(`i${p}`, 'r', { allow_any_name: true }),
      issue(`i${p}/issue/r`, { common_name: 'a.b', ttl: '1h' }, 200, {
        body_has: { data: { issuing_ca: '{{inter}}', ca_chain: ['{{inter}}', '{{rootPem}}'] } },
      }),
      issue(`i${p}/issue/r`, { common_name: 'a.b', ttl: '1h', remove_roots_from_chain: true }, 200, {
        body_has: { data: { ca_chain: ['{{inter}}'] } },
      }),
    ],
  },
  {
    name: 'pki: path lengths of intermediates',
    steps: [
      mounted(p),
      root(p, { max_path_length: 0 }),
      issue(`${p}/root/sign-intermediate`, { csr: '{{csr_web}}', common_name: 'I', ttl: '1h' }, 400, {
        errors: [
          'signing certificate has a max path length of zero, and cannot issue further CA certificates',
        ],
      }),
    ],
  },
  {
    name: 'pki: imports that cannot be read',
    steps: [
      mounted(p),
      issue(`${p}/issuers/import/cert`, {}, 400, {
        errors: ["'pem_bundle' and 'certificate' parameters were empty"],
      }),
      issue(`${p}/issuers/import/bundle`, { pem_bundle: 'short' }, 400, {
        errors: [
          'provided data for import was too short; perhaps a path was passed to the API rather than the contents of a PEM file',
        ],
      }),
      issue(`${p}/config/ca`, { pem_bundle: 'a'.repeat(100) }, 400, {
        errors: ['error when parsing block 1: invalid PEM data'],
      }),
    ],
  },
  {
    name: 'pki: revocation, once and again, and what cannot be revoked',
    steps: [
      mounted(p),
      root(p),
      role(p, 'r', { allow_any_name: true }),
      issue(`${p}/issue/r`, { common_name: 'a.b', ttl: '1h' }, 200, { save: { leaf: 'data.serial_number' } }),
      issue(`${p}/revoke`, { serial_number: '{{leaf}}' }, 200, {
        save: { when: 'data.revocation_time_rfc3339' },
        body_has: { data: { state: 'revoked', revocation_time: isNumber } },
      }),
      issue(`${p}/revoke`, { serial_number: '{{leaf}}' }, 200, {
        body_has: { data: { state: 'revoked', revocation_time_rfc3339: '{{when}}' } },
      }),
      {
        method: 'GET',
        path: `${p}/cert/{{leaf}}`,
        status: 200,
        body_has: { data: { revocation_time: isNumber, revocation_time_rfc3339: '{{when}}' } },
      },
      { method: 'LIST', path: `${p}/certs/revoked`, status: 200, body_has: { data: { keys: ['{{leaf}}'] } } },
      {
        method: 'GET',
        path: `${p}/issuer/default/crl`,
        as: 'none',
        status: 200,
        body_has: { data: { crl: matches(/^-----BEGIN X509 CRL-----\n[\s\S]*-----END X509 CRL-----\n$/) } },
      },
      {
        method: 'GET',
        path: `${p}/cert/crl`,
        as: 'none',
        status: 200,
        body_has: {
          data: { certificate: matches(/^-----BEGIN X509 CRL-----\n[\s\S]*-----END X509 CRL-----$/) },
        },
      },
      issue(`${p}/revoke`, {}, 400, {
        errors: ['The serial number or certificate to revoke must be provided.'],
      }),
      issue(`${p}/revoke`, { serial_number: '11:22' }, 400, {
        errors: ['certificate with serial 11:22 not found.'],
      }),
      issue(`${p}/revoke`, { serial_number: '{{rootSerial}}' }, 400, {
        errors: ['adding issuer (id: {{issuer}}) to its own CRL is not allowed'],
      }),
    ],
  },
  {
    name: 'pki: a revoked issuer signs no more',
    steps: [
      mounted(p),
      root(p),
      role(p, 'r', { allow_any_name: true }),
      issue(`${p}/issuer/default/revoke`, {}, 200, {
        body_has: { data: { revoked: true, usage: 'crl-signing,ocsp-signing,read-only' } },
      }),
      issue(`${p}/issue/r`, { common_name: 'a.b' }, 500),
      {
        method: 'DELETE',
        path: `${p}/issuer/{{issuer}}`,
        status: 200,
      },
      { method: 'DELETE', path: `${p}/issuer/{{issuer}}`, status: 200, body_has: { data: null } },
      {
        method: 'GET',
        path: `${p}/issuer/{{issuer}}`,
        status: 500,
        errors: [wrapped('unable to find PKI issuer for reference: {{issuer}}')],
      },
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
