import type { Handler, Route } from '../../core/backend.ts';
import { booleanOf } from '../../core/fields.ts';
import { nothingHere, refuse } from '../../core/refusal.ts';

/** As upstream answers where ACME is switched off: 404 without a text. */
const off: Handler = () => {
  throw nothingHere();
};

const config = {
  allow_role_ext_key_usage: false,
  allowed_issuers: ['*'],
  allowed_roles: ['*'],
  default_directory_policy: 'sign-verbatim',
  dns_resolver: '',
  eab_policy: 'not-required',
  enabled: false,
};

/** ACME (RFC 8555) is not offered: its paths are those of a mount where it is off, and it cannot be switched on. */
export function acmeRoutes(): Route[] {
  const below = ['', 'issuer/:issuer_ref/', 'roles/:role/', 'issuer/:issuer_ref/roles/:role/'];
  return [
    {
      path: 'config/acme',
      fields: { enabled: 'bool' },
      operations: {
        read: () => ({ data: config }),
        update: ({ fields }) => {
          if (booleanOf(fields, 'enabled'))
            throw refuse('ACME is not offered by this server', 400, 'no-acme');
          return { data: config };
        },
      },
    },
    { path: 'eab', operations: { list: off } },
    { path: 'eab/:key_id', operations: { delete: off } },
    ...below.map((prefix) => ({
      path: `${prefix}acme/*rest`,
      open: true,
      operations: { read: off, update: off },
    })),
  ];
}
