import { booleanOf, type Fields, listOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import { readRoleTokens, roleTokenFields, roleTokenSchema } from '../../core/role-fields.ts';
import type { KubernetesConfig, KubernetesRole } from './store.ts';

export const configSchema: Schema = {
  kubernetes_host: 'string',
  kubernetes_ca_cert: 'string',
  token_reviewer_jwt: 'string',
  pem_keys: 'list',
  issuer: 'string',
  disable_iss_validation: 'bool',
  disable_local_ca_jwt: 'bool',
  use_annotations_as_alias_metadata: 'bool',
};

export const roleSchema: Schema = {
  ...roleTokenSchema,
  bound_service_account_names: 'list',
  bound_service_account_namespaces: 'list',
  bound_service_account_namespace_selector: 'string',
  audience: 'string',
  alias_name_source: 'string',
};

/** A write replaces the whole configuration. @throws Refusal 400 */
export function readConfigFields(fields: Fields, localCa: () => string | undefined): KubernetesConfig {
  const host = textOf(fields, 'kubernetes_host');
  const caCert = textOf(fields, 'kubernetes_ca_cert');
  const disableLocalCaJwt = booleanOf(fields, 'disable_local_ca_jwt');
  if (host === '') throw refuse('no host provided');
  if (!/^https?:\/\//.test(host) || !URL.canParse(host)) throw refuse(`invalid kubernetes_host "${host}"`);
  if (caCert === '' && disableLocalCaJwt) {
    throw refuse('kubernetes_ca_cert must be given when disable_local_ca_jwt is true');
  }
  if (caCert === '' && localCa() === undefined) {
    throw refuse('open /var/run/secrets/kubernetes.io/serviceaccount/ca.crt: no such file or directory');
  }
  return {
    host,
    caCert,
    disableLocalCaJwt,
    reviewerJwt: textOf(fields, 'token_reviewer_jwt'),
    pemKeys: listOf(fields, 'pem_keys'),
    issuer: textOf(fields, 'issuer'),
    disableIssuerValidation: booleanOf(fields, 'disable_iss_validation', true),
  };
}

export function configFields(config: KubernetesConfig): Fields {
  return {
    disable_iss_validation: config.disableIssuerValidation,
    disable_local_ca_jwt: config.disableLocalCaJwt,
    issuer: config.issuer,
    kubernetes_ca_cert: config.caCert,
    kubernetes_host: config.host,
    pem_keys: config.pemKeys,
    token_reviewer_jwt_set: config.reviewerJwt !== '',
  };
}

/** @throws Refusal 400 */
export function readRoleFields(fields: Fields, before: KubernetesRole | undefined): KubernetesRole {
  const names = bound(fields, 'bound_service_account_names', before?.names);
  const namespaces = bound(fields, 'bound_service_account_namespaces', before?.namespaces);
  const aliasNameSource = textOf(
    fields,
    'alias_name_source',
    before?.aliasNameSource ?? 'serviceaccount_uid',
  );
  if (textOf(fields, 'bound_service_account_namespace_selector') !== '') {
    throw refuse('bound_service_account_namespace_selector is not offered by this server');
  }
  if (!['serviceaccount_uid', 'serviceaccount_name', ''].includes(aliasNameSource)) {
    throw refuse(`invalid alias_name_source "${aliasNameSource}"`);
  }
  return {
    names,
    namespaces,
    audience: textOf(fields, 'audience', before?.audience),
    aliasNameSource: aliasNameSource || 'serviceaccount_uid',
    tokens: readRoleTokens(fields, before?.tokens),
  };
}

function bound(fields: Fields, name: string, before: readonly string[] = []): readonly string[] {
  const values = name in fields ? listOf(fields, name) : before;
  if (values.length === 0) throw refuse(`"${name}" can not be empty`);
  if (values.length > 1 && values.includes('*')) throw refuse('can not mix "*" with values');
  return values;
}

export function roleFields(role: KubernetesRole): Fields {
  return {
    alias_name_source: role.aliasNameSource,
    audience: role.audience,
    bound_service_account_names: role.names,
    bound_service_account_namespace_selector: '',
    bound_service_account_namespaces: role.namespaces,
    ...roleTokenFields(role.tokens),
  };
}
