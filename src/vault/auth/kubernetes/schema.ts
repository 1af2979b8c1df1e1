import { createPublicKey } from 'node:crypto';
import { goDuration } from '../../../lib/duration.ts';
import { booleanOf, type Fields, listOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import { readRoleTokens, roleTokenFields, roleTokenSchema } from '../../core/role-fields.ts';
import { parseNamespaceSelector } from './namespace-selector.ts';
import type { KubernetesConfig, KubernetesRole } from './store.ts';

export const configSchema: Schema = {
  kubernetes_host: 'string',
  kubernetes_ca_cert: 'string',
  token_reviewer_jwt: 'string',
  pem_keys: 'list',
  issuer: 'string',
  disable_iss_validation: 'bool',
  disable_local_ca_jwt: 'bool',
  local_jwks: 'bool',
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
    pemKeys: publicKeysOf(fields),
    issuer: textOf(fields, 'issuer'),
    disableIssuerValidation: booleanOf(fields, 'disable_iss_validation', true),
    ...(booleanOf(fields, 'local_jwks') ? { localJwks: true } : {}),
  };
}

/** @throws Refusal 400 for what no signature could ever be checked with */
function publicKeysOf(fields: Fields): readonly string[] {
  const pems = listOf(fields, 'pem_keys');
  for (const pem of pems) {
    try {
      createPublicKey(pem);
    } catch {
      throw refuse('data does not contain any valid public keys');
    }
  }
  return pems;
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
    ...(config.localJwks === true ? { local_jwks: true } : {}),
  };
}

/** @param maxTtl of the mount, in seconds @throws Refusal 400 */
export async function readRoleFields(
  fields: Fields,
  before: KubernetesRole | undefined,
  maxTtl: number,
): Promise<KubernetesRole> {
  const names = bound(fields, 'bound_service_account_names', before?.names);
  if (names.length === 0) throw refuse('"bound_service_account_names" can not be empty');
  const namespaces = bound(fields, 'bound_service_account_namespaces', before?.namespaces);
  const selectorName = 'bound_service_account_namespace_selector';
  const namespaceSelector = textOf(fields, selectorName, before?.namespaceSelector);
  if (namespaces.length === 0 && namespaceSelector === '') {
    throw refuse(`"bound_service_account_namespaces" can not be empty if "${selectorName}" is not set`);
  }
  if (namespaceSelector !== '') await parseNamespaceSelector(namespaceSelector);
  const tokens = readRoleTokens(fields, before?.tokens);
  checkPeriod(tokens.period, maxTtl);
  return {
    names,
    namespaces,
    namespaceSelector,
    audience: textOf(fields, 'audience', before?.audience),
    aliasNameSource: aliasNameSource(fields, before),
    tokens,
  };
}

function checkPeriod(period: number, maxTtl: number): void {
  if (period <= maxTtl) return;
  const [wanted, most] = [goDuration(period * 1000), goDuration(maxTtl * 1000)];
  throw refuse(
    `token period of '"${wanted}"' is greater than the backend's maximum lease TTL of '"${most}"'`,
  );
}

function aliasNameSource(fields: Fields, before: KubernetesRole | undefined): string {
  const otherwise = before?.aliasNameSource ?? 'serviceaccount_uid';
  const source = textOf(fields, 'alias_name_source', otherwise) || 'serviceaccount_uid';
  if (['serviceaccount_uid', 'serviceaccount_name'].includes(source)) return source;
  throw refuse('invalid alias_name_source, must be one of: serviceaccount_uid, serviceaccount_name');
}

function bound(fields: Fields, name: string, before: readonly string[] = []): readonly string[] {
  const values = name in fields ? listOf(fields, name) : before;
  if (values.length > 1 && values.includes('*')) throw refuse('can not mix "*" with values');
  return values;
}

export function roleFields(role: KubernetesRole): Fields {
  return {
    alias_name_source: role.aliasNameSource,
    ...(role.audience === '' ? {} : { audience: role.audience }),
    bound_service_account_names: role.names,
    bound_service_account_namespace_selector: role.namespaceSelector ?? '',
    bound_service_account_namespaces: role.namespaces,
    ...roleTokenFields(role.tokens),
  };
}
