import type { Case } from './case.ts';
import { ask, enable, missing, read, refused, write } from './steps.ts';

const at = 'auth/cert{{id}}';
const mount = enable('cert{{id}}', 'cert');

/** What needs no TLS; logins with certificates are in src/server/cert-login.test.ts. */
export const certCases: readonly Case[] = [
  {
    name: 'cert: revocation lists are kept by name',
    steps: [
      mount,
      missing(`${at}/crls`, 'LIST'),
      ask('GET', `${at}/crls/none`, undefined, { status: 400, errors: ['no such CRL none'] }),
      refused(`${at}/crls/one`, {}, 400, "one of 'crl' or 'url' must be provided"),
      ask('DELETE', `${at}/crls/none`, undefined, { status: 400, errors: ['no such CRL none'] }),
      write('sys/mounts/pki-c{{id}}', { type: 'pki' }),
      write('pki-c{{id}}/root/generate/internal', { common_name: 'R', key_type: 'ec' }, { status: 200 }),
      ask('GET', 'pki-c{{id}}/issuer/default/crl', undefined, { save: { crl: 'data.crl' } }),
      write(`${at}/crls/One`, { crl: '{{crl}}' }),
      ask('LIST', `${at}/crls`, undefined, { body_has: { data: { keys: ['one'] } } }),
      read(`${at}/crls/one`, { serials: undefined }),
      ask('DELETE', `${at}/crls/one`),
    ],
  },
  {
    name: 'cert: what is no certificate is refused, and so is a login without one',
    steps: [
      mount,
      refused(`${at}/certs/x`, { certificate: 'zz' }, 400, 'failed to parse certificate'),
      refused(`${at}/certs/x`, {}, 400, 'failed to parse certificate'),
      missing(`${at}/certs/x`),
      missing(`${at}/certs`, 'LIST'),
      refused(`${at}/login`, {}, 400, 'no client certificate found', { as: 'none' }),
      read(`${at}/config`, { disable_binding: false, enable_identity_alias_metadata: false }),
      ask('POST', `${at}/config`, { disable_binding: true }),
      read(`${at}/config`, { disable_binding: true }),
    ],
  },
];
