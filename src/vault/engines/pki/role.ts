import { booleanOf, type Fields, listOf, numberOf, type Schema, textOf } from '../../core/fields.ts';

/** A role exactly as the API shows it. Times in seconds. */
export interface Role {
  readonly ttl: number;
  readonly max_ttl: number;
  readonly allow_localhost: boolean;
  readonly allowed_domains: readonly string[];
  readonly allowed_domains_template: boolean;
  readonly allow_globs_in_identity_templates: boolean;
  readonly allow_bare_domains: boolean;
  readonly allow_token_displayname: boolean;
  readonly allow_subdomains: boolean;
  readonly allow_glob_domains: boolean;
  readonly allow_wildcard_certificates: boolean;
  readonly allow_any_name: boolean;
  readonly allowed_uri_sans: readonly string[];
  readonly allowed_uri_sans_template: boolean;
  readonly enforce_hostnames: boolean;
  readonly allow_ip_sans: boolean;
  readonly allowed_ip_sans_cidr: readonly string[];
  readonly allowed_other_sans: readonly string[];
  readonly allowed_serial_numbers: readonly string[];
  readonly allowed_user_ids: readonly string[];
  readonly server_flag: boolean;
  readonly client_flag: boolean;
  readonly code_signing_flag: boolean;
  readonly email_protection_flag: boolean;
  readonly use_csr_common_name: boolean;
  readonly use_csr_sans: boolean;
  readonly key_type: string;
  readonly key_bits: number;
  readonly signature_bits: number;
  readonly use_pss: boolean;
  readonly key_usage: readonly string[];
  readonly ext_key_usage: readonly string[];
  readonly ext_key_usage_oids: readonly string[];
  readonly ou: readonly string[];
  readonly organization: readonly string[];
  readonly country: readonly string[];
  readonly locality: readonly string[];
  readonly province: readonly string[];
  readonly street_address: readonly string[];
  readonly postal_code: readonly string[];
  readonly no_store: boolean;
  readonly generate_lease: boolean;
  readonly require_cn: boolean;
  readonly cn_validations: readonly string[];
  readonly policy_identifiers: readonly string[];
  readonly basic_constraints_valid_for_non_ca: boolean;
  readonly not_before_duration: number;
  readonly not_before: string;
  readonly not_before_bound: string;
  readonly not_after: string;
  readonly not_after_bound: string;
  readonly issuer_ref: string;
}

export const defaultRole: Role = {
  ttl: 0,
  max_ttl: 0,
  allow_localhost: true,
  allowed_domains: [],
  allowed_domains_template: false,
  allow_globs_in_identity_templates: false,
  allow_bare_domains: false,
  allow_token_displayname: false,
  allow_subdomains: false,
  allow_glob_domains: false,
  allow_wildcard_certificates: true,
  allow_any_name: false,
  allowed_uri_sans: [],
  allowed_uri_sans_template: false,
  enforce_hostnames: true,
  allow_ip_sans: true,
  allowed_ip_sans_cidr: [],
  allowed_other_sans: [],
  allowed_serial_numbers: [],
  allowed_user_ids: [],
  server_flag: true,
  client_flag: true,
  code_signing_flag: false,
  email_protection_flag: false,
  use_csr_common_name: true,
  use_csr_sans: true,
  key_type: 'rsa',
  key_bits: 0,
  signature_bits: 0,
  use_pss: false,
  key_usage: ['DigitalSignature', 'KeyAgreement', 'KeyEncipherment'],
  ext_key_usage: [],
  ext_key_usage_oids: [],
  ou: [],
  organization: [],
  country: [],
  locality: [],
  province: [],
  street_address: [],
  postal_code: [],
  no_store: false,
  generate_lease: false,
  require_cn: true,
  cn_validations: ['email', 'hostname'],
  policy_identifiers: [],
  basic_constraints_valid_for_non_ca: false,
  not_before_duration: 30,
  not_before: '',
  not_before_bound: 'permit',
  not_after: '',
  not_after_bound: 'permit',
  issuer_ref: 'default',
};

const inSeconds = ['ttl', 'max_ttl', 'not_before_duration'];

/** The types of a role's fields are those of its defaults. */
export const roleSchema: Schema = Object.fromEntries(
  Object.entries(defaultRole).map(([name, value]) => [
    name,
    inSeconds.includes(name)
      ? 'seconds'
      : Array.isArray(value)
        ? 'list'
        : typeof value === 'boolean'
          ? 'bool'
          : typeof value === 'number'
            ? 'int'
            : 'string',
  ]),
);

/** `before` with the fields that were sent. */
export const mergedRole = (before: Role, fields: Fields): Role => ({
  ...before,
  ...Object.fromEntries(Object.entries(fields).filter(([name]) => Object.hasOwn(defaultRole, name))),
});

/** Allows every name: for CAs, and for requests that are signed as they are. */
const permissive: Role = {
  ...defaultRole,
  allow_any_name: true,
  enforce_hostnames: false,
  allowed_uri_sans: ['*'],
  allowed_other_sans: ['*'],
  allowed_serial_numbers: ['*'],
  allowed_user_ids: ['*'],
  cn_validations: ['disabled'],
  server_flag: false,
  client_flag: false,
  key_type: 'any',
  signature_bits: 256,
};

/** The role that a CA certificate is made under: the subject's fields come from the request. */
export function caRole(fields: Fields): Role {
  const list = (name: string): readonly string[] => listOf(fields, name);
  return {
    ...permissive,
    ttl: numberOf(fields, 'ttl'),
    ou: list('ou'),
    organization: list('organization'),
    country: list('country'),
    locality: list('locality'),
    province: list('province'),
    street_address: list('street_address'),
    postal_code: list('postal_code'),
    not_before: textOf(fields, 'not_before'),
    not_before_duration: numberOf(fields, 'not_before_duration', 30),
    signature_bits: numberOf(fields, 'signature_bits') || 256,
    use_pss: booleanOf(fields, 'use_pss'),
    use_csr_common_name: textOf(fields, 'common_name') === '',
    use_csr_sans: false,
    require_cn: false,
  };
}

/** The role of sign-verbatim: what the named role says about time and keeping, and nothing about names. */
export function verbatimRole(fields: Fields, role: Role | undefined): Role {
  return {
    ...permissive,
    require_cn: false,
    key_usage: 'key_usage' in fields ? listOf(fields, 'key_usage') : defaultRole.key_usage,
    ext_key_usage: listOf(fields, 'ext_key_usage'),
    ext_key_usage_oids: listOf(fields, 'ext_key_usage_oids'),
    signature_bits: numberOf(fields, 'signature_bits') || 256,
    use_pss: booleanOf(fields, 'use_pss', role?.use_pss ?? false),
    basic_constraints_valid_for_non_ca: booleanOf(
      fields,
      'basic_constraints_valid_for_non_ca',
      role?.basic_constraints_valid_for_non_ca ?? false,
    ),
    ...(role === undefined
      ? {}
      : {
          ttl: role.ttl,
          max_ttl: role.max_ttl,
          generate_lease: role.generate_lease,
          not_before_duration: role.not_before_duration,
          no_store: role.no_store,
          issuer_ref: role.issuer_ref,
        }),
  };
}
