import { type Certificate, parseCertificates } from '../../../x509/certificate.ts';
import { type Fields, listOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import { readRoleTokens, roleTokenFields, roleTokenSchemaOf } from '../../core/role-fields.ts';
import { checkExtensionRules } from './extension-rules.ts';
import type { CertRole } from './store.ts';

const legacy = ['policies', 'ttl', 'max_ttl', 'period', 'bound_cidrs'] as const;

export const roleSchema: Schema = {
  ...roleTokenSchemaOf(legacy),
  certificate: 'string',
  display_name: 'string',
  allowed_names: 'list',
  allowed_common_names: 'list',
  allowed_dns_sans: 'list',
  allowed_email_sans: 'list',
  allowed_uri_sans: 'list',
  allowed_organizational_units: 'list',
  required_extensions: 'list',
  allowed_metadata_extensions: 'list',
  ocsp_enabled: 'bool',
  ocsp_ca_certificates: 'string',
  ocsp_servers_override: 'list',
  ocsp_fail_open: 'bool',
  ocsp_query_all_servers: 'bool',
};

/** Applies what was sent to what was there. @throws Refusal 400 */
export function readRoleFields(fields: Fields, name: string, before: CertRole | undefined): CertRole {
  // A condition that is not checked must not look as if it were.
  if (fields.ocsp_enabled === true) throw refuse('ocsp_enabled is not offered by this server');
  const role: CertRole = {
    name: name.toLowerCase(),
    certificate: textOf(fields, 'certificate', before?.certificate),
    displayName: textOf(fields, 'display_name', before?.displayName) || name.toLowerCase(),
    names: listed(fields, 'allowed_names', before?.names),
    commonNames: listed(fields, 'allowed_common_names', before?.commonNames),
    dnsSans: listed(fields, 'allowed_dns_sans', before?.dnsSans),
    emailSans: listed(fields, 'allowed_email_sans', before?.emailSans),
    uriSans: listed(fields, 'allowed_uri_sans', before?.uriSans),
    organizationalUnits: listed(fields, 'allowed_organizational_units', before?.organizationalUnits),
    requiredExtensions: listed(fields, 'required_extensions', before?.requiredExtensions),
    metadataExtensions: listed(fields, 'allowed_metadata_extensions', before?.metadataExtensions),
    tokens: readRoleTokens(fields, before?.tokens, legacy),
  };
  checkExtensionRules(role.requiredExtensions ?? []);
  const [first] = trustedCertificates(role);
  if (first === undefined) throw refuse('failed to parse certificate');
  const uses = first.extendedKeyUsage;
  if (!first.isCa && uses !== undefined && !uses.includes('clientAuth')) {
    throw refuse('nonCA certificates should have TLS client authentication set as an extended key usage');
  }
  return role;
}

const listed = (
  fields: Fields,
  name: string,
  before: readonly string[] | null = null,
): readonly string[] | null => (name in fields ? listOf(fields, name) : before);

/** Empty when the text holds none that can be read. */
export function trustedCertificates({ certificate }: Pick<CertRole, 'certificate'>): readonly Certificate[] {
  try {
    return parseCertificates(certificate);
  } catch {
    return [];
  }
}

export const roleFields = (role: CertRole): Fields => ({
  allowed_common_names: role.commonNames,
  allowed_dns_sans: role.dnsSans,
  allowed_email_sans: role.emailSans,
  allowed_metadata_extensions: role.metadataExtensions ?? null,
  allowed_names: role.names,
  allowed_organizational_units: role.organizationalUnits,
  allowed_uri_sans: role.uriSans,
  certificate: role.certificate,
  display_name: role.displayName,
  ocsp_ca_certificates: '',
  ocsp_enabled: false,
  ocsp_fail_open: false,
  ocsp_query_all_servers: false,
  ocsp_servers_override: null,
  required_extensions: role.requiredExtensions ?? null,
  ...roleTokenFields(role.tokens),
});
