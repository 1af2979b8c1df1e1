import { createPublicKey } from 'node:crypto';
import { isRecord } from '../../../lib/records.ts';
import { booleanOf, type Fields, listOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { type Refusal, refuse } from '../../core/refusal.ts';
import {
  kubernetesLegacy,
  readRoleTokens,
  roleTokenFields,
  roleTokenSchema,
} from '../../core/role-fields.ts';
import { listClaim } from './claims.ts';
import type { JwksPair, JwtConfig, JwtRole } from './store.ts';

export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
] as const;

export const configSchema: Schema = {
  oidc_discovery_url: 'string',
  oidc_discovery_ca_pem: 'string',
  oidc_client_id: 'string',
  oidc_client_secret: 'string',
  jwks_url: 'string',
  jwks_ca_pem: 'string',
  jwks_pairs: 'any',
  provider_config: 'map',
  override_allowed_server_names: 'list',
  jwt_validation_pubkeys: 'list',
  jwt_supported_algs: 'list',
  bound_issuer: 'string',
  default_role: 'string',
  skip_jwks_validation: 'bool',
};

export const roleSchema: Schema = {
  ...roleTokenSchema,
  role_type: 'string',
  user_claim: 'string',
  user_claim_json_pointer: 'bool',
  groups_claim: 'string',
  bound_audiences: 'list',
  bound_subject: 'string',
  bound_claims: 'map',
  bound_claims_type: 'string',
  claim_mappings: 'texts',
  allowed_redirect_uris: 'list',
  expiration_leeway: 'signed-seconds',
  not_before_leeway: 'signed-seconds',
  clock_skew_leeway: 'signed-seconds',
};

/** A write replaces the whole configuration. @throws Refusal 400 */
export function readConfigFields(fields: Fields): JwtConfig {
  refuseMissing(fields);
  const config: JwtConfig = {
    discoveryUrl: textOf(fields, 'oidc_discovery_url'),
    discoveryCaPem: textOf(fields, 'oidc_discovery_ca_pem'),
    jwksUrl: textOf(fields, 'jwks_url'),
    jwksCaPem: textOf(fields, 'jwks_ca_pem'),
    jwksPairs: jwksPairsOf(fields.jwks_pairs),
    publicKeys: listOf(fields, 'jwt_validation_pubkeys'),
    algorithms: listOf(fields, 'jwt_supported_algs'),
    boundIssuer: textOf(fields, 'bound_issuer'),
    defaultRole: textOf(fields, 'default_role'),
  };
  const lists = [config.publicKeys, config.jwksPairs ?? []];
  const ways = [config.discoveryUrl, config.jwksUrl, ...lists].filter(({ length }) => length > 0);
  if (ways.length !== 1) {
    throw refuse(
      "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or 'provider_config' must be set",
    );
  }
  if (config.discoveryUrl.includes('.well-known/openid-configuration')) {
    throw refuse("'oidc_discovery_url' contains '.well-known' component");
  }
  checkKeys(config);
  return config;
}

/** A condition that is not checked, or a way of asking that is not taken, must not look as if it were. */
function refuseMissing(fields: Fields): void {
  if (textOf(fields, 'oidc_client_id') !== '')
    throw refuse('oidc_client_id (browser logins) is not offered by this server');
  if (Object.keys((fields.provider_config as Fields | undefined) ?? {}).length > 0)
    throw refuse('provider_config is not offered by this server');
  if (listOf(fields, 'override_allowed_server_names').length > 0)
    throw refuse('override_allowed_server_names is not offered by this server');
}

/** A list of objects, or their JSON. @throws Refusal 400 */
function jwksPairsOf(sent: unknown): readonly JwksPair[] {
  if (sent === undefined || sent === null || sent === '') return [];
  const wrong = (): Refusal =>
    refuse("'jwks_pairs' must be a list of objects with 'jwks_url' and 'jwks_ca_pem'");
  const list: unknown = typeof sent === 'string' ? parseJson(sent, wrong) : sent;
  if (!Array.isArray(list)) throw wrong();
  return list.map((item: unknown) => {
    const pair = typeof item === 'string' ? parseJson(item, wrong) : item;
    if (!isRecord(pair)) throw wrong();
    const { jwks_url: url, jwks_ca_pem: caPem = '' } = pair;
    if (typeof url !== 'string' || url === '' || typeof caPem !== 'string') throw wrong();
    return { url, caPem };
  });
}

function parseJson(text: string, wrong: () => Refusal): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong();
  }
}

function checkKeys({ publicKeys, algorithms: wanted }: JwtConfig): void {
  for (const pem of publicKeys) {
    try {
      createPublicKey(pem);
    } catch {
      throw refuse('error parsing public key: data does not contain any valid public keys');
    }
  }
  const bad = wanted.find((name) => !algorithms.some((known) => known === name));
  if (bad !== undefined) throw refuse(`invalid jwt_supported_algs: unsupported signing algorithm "${bad}"`);
}

export const configFields = (config: JwtConfig, isValid: boolean): Fields => ({
  bound_issuer: config.boundIssuer,
  default_role: config.defaultRole,
  jwks_ca_pem: config.jwksCaPem,
  jwks_pairs: (config.jwksPairs ?? []).map(({ url, caPem }) => ({ jwks_url: url, jwks_ca_pem: caPem })),
  jwks_url: config.jwksUrl,
  jwt_supported_algs: config.algorithms,
  jwt_validation_pubkeys: config.publicKeys,
  namespace_in_state: true,
  oidc_client_id: '',
  oidc_discovery_ca_pem: config.discoveryCaPem,
  oidc_discovery_url: config.discoveryUrl,
  oidc_response_mode: '',
  oidc_response_types: [],
  override_allowed_server_names: [],
  provider_config: {},
  status: isValid ? 'valid' : 'invalid',
});

/** @throws Refusal 400 */
export function readRoleFields(fields: Fields, before: JwtRole | undefined): JwtRole {
  const type = textOf(fields, 'role_type') || 'oidc';
  if (type !== 'jwt' && type !== 'oidc') throw refuse(`invalid 'role_type': ${type}`);
  const boundClaimsType = textOf(fields, 'bound_claims_type', 'string');
  if (boundClaimsType !== 'string' && boundClaimsType !== 'glob') {
    throw refuse(`invalid 'bound_claims_type': ${boundClaimsType}`);
  }
  const role: JwtRole = {
    type,
    boundClaimsType,
    userClaim: textOf(fields, 'user_claim', before?.userClaim),
    userClaimPointer: booleanOf(fields, 'user_claim_json_pointer', before?.userClaimPointer),
    groupsClaim: textOf(fields, 'groups_claim', before?.groupsClaim),
    boundAudiences: listed(fields, 'bound_audiences', before?.boundAudiences),
    boundSubject: textOf(fields, 'bound_subject', before?.boundSubject),
    boundClaims: (fields.bound_claims as JwtRole['boundClaims'] | undefined) ?? before?.boundClaims ?? null,
    claimMappings:
      (fields.claim_mappings as JwtRole['claimMappings'] | undefined) ?? before?.claimMappings ?? null,
    redirectUris: listed(fields, 'allowed_redirect_uris', before?.redirectUris),
    expirationLeeway: numberOf(fields, 'expiration_leeway', before?.expirationLeeway),
    notBeforeLeeway: numberOf(fields, 'not_before_leeway', before?.notBeforeLeeway),
    clockSkewLeeway: numberOf(fields, 'clock_skew_leeway', before?.clockSkewLeeway),
    tokens: readRoleTokens(fields, before?.tokens, kubernetesLegacy),
  };
  checkClaims(role);
  checkRole(role);
  return role;
}

const listed = (fields: Fields, name: string, before: readonly string[] = []): readonly string[] =>
  name in fields ? listOf(fields, name) : before;

function checkClaims({ boundClaims, boundClaimsType, claimMappings }: JwtRole): void {
  for (const value of Object.values(boundClaims ?? {})) {
    if (boundClaimsType === 'glob' && listClaim(value)?.every((item) => typeof item === 'string') !== true) {
      throw refuse(`claim is not a string or list: ${JSON.stringify(value)}`);
    }
  }
  const targets = Object.values(claimMappings ?? {});
  if (targets.includes('role')) {
    throw refuse('metadata key "role" is reserved and may not be a mapping destination');
  }
  const twice = targets.find((target, i) => targets.indexOf(target) !== i);
  if (twice !== undefined) throw refuse(`multiple keys are mapped to metadata key "${twice}"`);
}

function checkRole(role: JwtRole): void {
  if (role.userClaim === '') throw refuse('a user claim must be defined on the role');
  if (role.type === 'oidc' && role.redirectUris.length === 0) {
    throw refuse("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.");
  }
  const isBound =
    role.boundAudiences.length > 0 ||
    role.tokens.boundCidrs.length > 0 ||
    role.boundSubject !== '' ||
    Object.keys(role.boundClaims ?? {}).length > 0;
  if (role.type === 'jwt' && !isBound) {
    throw refuse('must have at least one bound constraint when creating/updating a role');
  }
}

export const roleFields = (role: JwtRole): Fields => ({
  allowed_redirect_uris: role.redirectUris,
  bound_audiences: role.boundAudiences,
  bound_claims: role.boundClaims,
  bound_claims_type: role.boundClaimsType,
  bound_subject: role.boundSubject,
  callback_mode: 'client',
  claim_mappings: role.claimMappings,
  clock_skew_leeway: role.clockSkewLeeway,
  expiration_leeway: role.expirationLeeway,
  groups_claim: role.groupsClaim,
  max_age: 0,
  not_before_leeway: role.notBeforeLeeway,
  oidc_scopes: null,
  role_type: role.type,
  user_claim: role.userClaim,
  user_claim_json_pointer: role.userClaimPointer,
  verbose_oidc_logging: false,
  ...roleTokenFields(role.tokens),
});
