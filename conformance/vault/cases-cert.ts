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
    name: 'cert: a revocation list is fetched from where its CA publishes it',
    steps: [
      mount,
      refused(`${at}/crls/far`, { url: '' }, 400, 'empty CRL url'),
      write(`${at}/crls/Far`, { url: '{{kubernetes}}/crl' }),
      read(`${at}/crls/far`, {
        serials: { 4660: {} },
        cdp: { url: '{{kubernetes}}/crl', valid_until: (at: unknown) => Date.parse(String(at)) > Date.now() },
      }),
      ask('DELETE', `${at}/crls/far`),
      ask('GET', `${at}/crls/far`, undefined, { status: 400, errors: ['no such CRL far'] }),
    ],
  },
  {
    name: 'cert: a revocation list that is not there is no fault of the store',
    skip: { openbao: 'it answers 500 with the same text' },
    steps: [
      mount,
      refused(
        `${at}/crls/far`,
        { url: '{{kubernetes}}/none' },
        400,
        'unexpected response code 404 fetching CRL from {{kubernetes}}/none',
      ),
    ],
  },
  {
    name: 'cert: OCSP is refused, not passed over',
    skip: { openbao: 'it asks OCSP responders' },
    steps: [
      mount,
      refused(
        `${at}/certs/x`,
        { certificate: 'zz', ocsp_enabled: true },
        400,
        'ocsp_enabled is not offered by this server',
      ),
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
