import type { Case } from './case.ts';
import { ask, enable, missing, read, refused } from './steps.ts';

const at = 'auth/cert{{id}}';
const mount = enable('cert{{id}}', 'cert');

/** What needs no TLS; logins with certificates are in src/server/cert-login.test.ts. */
export const certCases: readonly Case[] = [
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
