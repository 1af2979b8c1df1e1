import { isIP } from 'node:net';
import { sanitizePolicies } from '../policy/policy.ts';
import { booleanOf, type Fields, type FieldType, listOf, numberOf, type Schema, textOf } from './fields.ts';
import { refuse } from './refusal.ts';

/** What every auth method's role says about its tokens. Durations in seconds. */
export interface RoleTokens {
  readonly policies: readonly string[];
  readonly ttl: number;
  readonly maxTtl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly numUses: number;
  readonly boundCidrs: readonly string[];
  readonly noDefaultPolicy: boolean;
  readonly type: string;
  readonly strictlyBindIp?: boolean;
  /** Old names under which a field was last written alone: they are shown again on reading. */
  readonly legacy: readonly string[];
}

/** The old names of `token_…` fields; the articles of 2022 still use them. Each method has had its own. */
const allLegacy = [
  'policies',
  'ttl',
  'max_ttl',
  'explicit_max_ttl',
  'period',
  'num_uses',
  'bound_cidrs',
] as const;
export type LegacyName = (typeof allLegacy)[number];

const legacyTypes: Readonly<Record<LegacyName, FieldType>> = {
  policies: 'list',
  ttl: 'seconds',
  max_ttl: 'seconds',
  explicit_max_ttl: 'seconds',
  period: 'seconds',
  num_uses: 'int',
  bound_cidrs: 'list',
};

/** Of the Kubernetes method; the others have fewer. */
export const kubernetesLegacy = ['policies', 'ttl', 'max_ttl', 'period', 'num_uses', 'bound_cidrs'] as const;

const modern: Schema = {
  token_policies: 'list',
  token_ttl: 'seconds',
  token_max_ttl: 'seconds',
  token_explicit_max_ttl: 'seconds',
  token_period: 'seconds',
  token_num_uses: 'int',
  token_bound_cidrs: 'list',
  token_no_default_policy: 'bool',
  token_type: 'string',
  token_strictly_bind_ip: 'bool',
};

/** The fields of a role, with the old names that this method knows. */
export const roleTokenSchemaOf = (legacy: readonly LegacyName[]): Schema => ({
  ...modern,
  ...Object.fromEntries(legacy.map((name) => [name, legacyTypes[name]])),
});

export const roleTokenSchema: Schema = roleTokenSchemaOf(kubernetesLegacy);

export const noTokens: RoleTokens = {
  policies: [],
  ttl: 0,
  maxTtl: 0,
  explicitMaxTtl: 0,
  period: 0,
  numUses: 0,
  boundCidrs: [],
  noDefaultPolicy: false,
  type: 'default',
  legacy: [],
};

/** Applies what was sent to what was there. @throws Refusal 400 */
export function readRoleTokens(
  fields: Fields,
  before: RoleTokens = noTokens,
  legacyNames: readonly LegacyName[] = kubernetesLegacy,
): RoleTokens {
  checkSigns(fields);
  const legacy = legacyNames.filter((name) => {
    if (`token_${name}` in fields) return name in fields;
    return name in fields || before.legacy.includes(name);
  });
  const said: Record<string, unknown> = { ...fields };
  for (const name of legacyNames) {
    if (name in fields && !(`token_${name}` in fields)) said[`token_${name}`] = fields[name];
  }
  const tokens: RoleTokens = {
    policies:
      'token_policies' in said ? sanitizePolicies(listOf(said, 'token_policies'), false) : before.policies,
    ttl: numberOf(said, 'token_ttl', before.ttl),
    maxTtl: numberOf(said, 'token_max_ttl', before.maxTtl),
    explicitMaxTtl: numberOf(said, 'token_explicit_max_ttl', before.explicitMaxTtl),
    period: numberOf(said, 'token_period', before.period),
    numUses: numberOf(said, 'token_num_uses', before.numUses),
    boundCidrs:
      'token_bound_cidrs' in said ? listOf(said, 'token_bound_cidrs').map(boundAddress) : before.boundCidrs,
    noDefaultPolicy: booleanOf(said, 'token_no_default_policy', before.noDefaultPolicy),
    strictlyBindIp: booleanOf(said, 'token_strictly_bind_ip', before.strictlyBindIp),
    type: tokenType(textOf(said, 'token_type', before.type)),
    legacy,
  };
  checkTogether(tokens);
  if (tokens.maxTtl > 0 && tokens.ttl > tokens.maxTtl) {
    const isNew = 'token_ttl' in fields || 'token_max_ttl' in fields;
    throw refuse(
      isNew
        ? "'token_ttl' cannot be greater than 'token_max_ttl'"
        : 'token ttl should not be greater than token max ttl',
    );
  }
  return tokens;
}

function checkSigns(fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== 'number' || value >= 0 || !name.startsWith('token_')) continue;
    throw refuse(
      name === 'token_num_uses'
        ? "'token_num_uses' cannot be negative"
        : `error converting input for field "${name}": cannot provide negative value '${value}'`,
    );
  }
}

function tokenType(value: string): string {
  if (['', 'default', 'default-service'].includes(value)) return 'default';
  if (['service', 'batch'].includes(value)) return value;
  throw refuse(`invalid 'token_type' value ${JSON.stringify(value)}`);
}

function checkTogether({ type, period, numUses, strictlyBindIp, boundCidrs }: RoleTokens): void {
  const batch = "'token_type' cannot be 'batch' or 'default_batch' when set to generate";
  if (type === 'batch' && period !== 0) throw refuse(`${batch} periodic tokens`);
  if (type === 'batch' && numUses !== 0) throw refuse(`${batch} tokens with limited use count`);
  if (strictlyBindIp === true && boundCidrs.length > 0) {
    throw refuse("'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one");
  }
}

/** An address or network as it is shown again: a single address without its prefix length. @throws Refusal 400 */
export function boundAddress(text: string): string {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const isWhole = bits === undefined || Number(bits) === most;
  if (
    family === 0 ||
    more.length > 0 ||
    (bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= most))
  ) {
    const quoted = JSON.stringify(text);
    const reason = `Unable to convert ${quoted} to an IPv4 or IPv6 address, or a UNIX Socket`;
    throw refuse(`error parsing address ${quoted}: ${reason}`);
  }
  return isWhole ? address : text;
}

/** As roles are read back. */
export function roleTokenFields(tokens: RoleTokens): Fields {
  const fields: Record<string, unknown> = {
    token_bound_cidrs: tokens.boundCidrs,
    token_explicit_max_ttl: tokens.explicitMaxTtl,
    token_max_ttl: tokens.maxTtl,
    token_no_default_policy: tokens.noDefaultPolicy,
    token_num_uses: tokens.numUses,
    token_period: tokens.period,
    token_policies: tokens.policies,
    token_strictly_bind_ip: tokens.strictlyBindIp ?? false,
    token_ttl: tokens.ttl,
    token_type: tokens.type,
  };
  for (const name of tokens.legacy) {
    const value = fields[`token_${name}`];
    if (value !== 0 && !(Array.isArray(value) && value.length === 0)) fields[name] = value;
  }
  return fields;
}
