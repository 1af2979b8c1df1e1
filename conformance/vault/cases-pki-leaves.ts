import type { Case } from './case.ts';
import { begins, isNumber, issue, matches, mounted, p, role, root, serial } from './pki-steps.ts';

/** What roles let through, for how long, and with which leases. */
export const pkiLeafCases: readonly Case[] = [
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
];
