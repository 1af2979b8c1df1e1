import type { Case } from './case.ts';
import { ask, enable, missing, read, refused, write } from './steps.ts';

const at = 'pki-i{{id}}';
const mount = [
  write(`sys/mounts/${at}`, { type: 'pki', config: { max_lease_ttl: '8760h' } }),
  write(
    `${at}/root/generate/internal`,
    { common_name: 'R', key_type: 'ec', key_bits: 256, ttl: '8000h' },
    { status: 200 },
  ),
];
const user = [
  enable('userpass-i{{id}}', 'userpass'),
  write('sys/policies/acl/issue-{{id}}', { policy: `path "${at}/issue/*" { capabilities = ["update"] }` }),
  write('auth/userpass-i{{id}}/users/ann', { password: 'correct horse', token_policies: 'issue-{{id}}' }),
  ask(
    'POST',
    'auth/userpass-i{{id}}/login/ann',
    { password: 'correct horse' },
    {
      as: 'none',
      status: 200,
      save: { ann: 'auth.client_token', entity: 'auth.entity_id' },
    },
  ),
  write('identity/entity/id/{{entity}}', { name: 'ann-{{id}}' }),
];
const role = { key_type: 'ec', key_bits: 256, ttl: '1h', require_cn: false };

export const pkiIdentityCases: readonly Case[] = [
  {
    name: 'pki: a role names whoever asks by templates, and allows nothing where they cannot be filled in',
    steps: [
      ...mount,
      ...user,
      write(
        `${at}/roles/own`,
        {
          ...role,
          allowed_domains: '{{identity.entity.name}}.example.com',
          allowed_domains_template: true,
          allow_bare_domains: true,
          allowed_uri_sans: 'spiffe://cluster.local/{{identity.entity.name}}',
          allowed_uri_sans_template: true,
        },
        { status: 200 },
      ),
      write(
        `${at}/issue/own`,
        { common_name: 'ann-{{id}}.example.com', uri_sans: 'spiffe://cluster.local/ann-{{id}}' },
        { as: 'ann', status: 200 },
      ),
      refused(
        `${at}/issue/own`,
        { common_name: 'bob.example.com' },
        400,
        'common name bob.example.com not allowed by this role',
        { as: 'ann' },
      ),
      refused(
        `${at}/issue/own`,
        { common_name: 'ann-{{id}}.example.com' },
        400,
        'common name ann-{{id}}.example.com not allowed by this role',
      ),
    ],
  },
  {
    name: 'pki: the detailed list says what each certificate is',
    steps: [
      ...mount,
      write(`${at}/roles/any`, { ...role, allow_any_name: true }, { status: 200 }),
      ask(
        'POST',
        `${at}/issue/any`,
        { common_name: 'a.example.com' },
        {
          status: 200,
          save: { serial: 'data.serial_number' },
        },
      ),
      ask('LIST', `${at}/certs/detailed`, undefined, {
        body_has: {
          data: {
            key_info: {
              '{{serial}}': {
                common_name: 'a.example.com',
                issuer: 'CN=R',
                key_type: 'ec',
                key_bits: 256,
                dns_names: ['a.example.com'],
              },
            },
          },
        },
      }),
    ],
  },
  {
    name: 'pki: ACME is off',
    steps: [
      ...mount,
      read(`${at}/config/acme`, { enabled: false, allowed_roles: ['*'], allowed_issuers: ['*'] }),
      ask('GET', `${at}/acme/directory`, undefined, { as: 'none', status: 404 }),
    ],
  },
  {
    name: 'pki: ACME cannot be switched on here',
    skip: { openbao: 'it has ACME' },
    steps: [
      ...mount,
      refused(`${at}/config/acme`, { enabled: true }, 400, 'ACME is not offered by this server'),
      missing(`${at}/roles/any/acme/directory`),
    ],
  },
];
