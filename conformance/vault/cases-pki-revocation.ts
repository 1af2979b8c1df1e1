import { type Case, wrapped } from './case.ts';
import { isNumber, issue, matches, mounted, p, role, root } from './pki-steps.ts';

/** Revocation of leaves and issuers. */
export const pkiRevocationCases: readonly Case[] = [
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
];
