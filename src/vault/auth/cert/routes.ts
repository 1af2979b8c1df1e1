import { timingSafeEqual } from 'node:crypto';
import { type Backend, defineBackend, type Renewal, type Route } from '../../core/backend.ts';
import { booleanOf, textOf } from '../../core/fields.ts';
import { renewalRefused } from '../../core/renew-token.ts';
import { sanitizePolicies } from '../../policy/policy.ts';
import { type RoleTable, roleRoutes, ttlsOf } from '../role-routes.ts';
import { crlRoutes, refreshCrls } from './crl-routes.ts';
import type { FetchCrl } from './fetch-crl.ts';
import { login } from './login.ts';
import { matchingRole, shownCertificates } from './match.ts';
import { readRoleFields, roleFields, roleSchema } from './schema.ts';
import { type CertRole, putConfig, readConfig, roles } from './store.ts';

/** Logins by the client certificate of the TLS connection, also those that carry a SPIFFE id. */
export function createCertAuth(fetch: FetchCrl): Backend {
  return defineBackend({
    type: 'cert',
    periodic: (context) => refreshCrls(context, fetch),
    renew: (store, name, renewal) => {
      const role = roles.read(store, name);
      if (role === undefined) return 'nothing';
      checkPolicies(role, renewal);
      if (!readConfig(store).disableBinding) {
        const chain = shownCertificates(renewal.request);
        matchingRole(store, chain, name, renewal.now);
        checkSame(chain[0].fingerprint, renewal);
      }
      return ttlsOf(role.tokens);
    },
    routes: [
      {
        path: 'login',
        open: true,
        login: true,
        fields: { name: 'string' },
        operations: { update: login },
      },
      ...roleRoutes(roleTable),
      configRoute,
      ...crlRoutes(fetch),
    ],
  });
}

function checkPolicies({ tokens }: CertRole, { entry }: Renewal): void {
  if (sanitizePolicies(tokens.policies, !tokens.noDefaultPolicy).join() !== entry.policies.join()) {
    throw renewalRefused('policies have changed, not renewing', 'policies-changed');
  }
}

function checkSame(fingerprint: string, { entry }: Renewal): void {
  const [shown, known] = [
    Buffer.from(fingerprint, 'hex'),
    Buffer.from(entry.login?.fingerprint ?? '', 'hex'),
  ];
  if (shown.length === known.length && timingSafeEqual(shown, known)) return;
  throw renewalRefused(
    'client identity during renewal not matching client identity used during login',
    'certificate-changed',
  );
}

const roleTable: RoleTable<CertRole> = {
  path: 'certs/:name',
  schema: roleSchema,
  entries: roles,
  fields: roleFields,
  write: ({ store, fields }) => {
    const name = textOf(fields, 'name');
    roles.put(store, name, readRoleFields(fields, name, roles.read(store, name)));
    return undefined;
  },
  tellsNew: false,
};

const configRoute: Route = {
  path: 'config',
  fields: { disable_binding: 'bool', enable_identity_alias_metadata: 'bool', ocsp_cache_size: 'int' },
  operations: {
    read: ({ store }) => {
      const config = readConfig(store);
      return {
        data: {
          disable_binding: config.disableBinding,
          enable_identity_alias_metadata: config.enableIdentityAliasMetadata,
          ocsp_cache_size: 0,
        },
      };
    },
    update: ({ store, fields }) => {
      const before = readConfig(store);
      putConfig(store, {
        disableBinding: booleanOf(fields, 'disable_binding', before.disableBinding),
        enableIdentityAliasMetadata: booleanOf(
          fields,
          'enable_identity_alias_metadata',
          before.enableIdentityAliasMetadata,
        ),
      });
      return undefined;
    },
  },
};
