import { type Case, wrapped } from './case.ts';
import { begins, isNumber, issue, matches, mounted, p, role, root, serial } from './pki-steps.ts';

/** Roots, keys and intermediates. */
export const pkiIssuerCases: readonly Case[] = [
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
];
