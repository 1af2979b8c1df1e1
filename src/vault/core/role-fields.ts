import { booleanOf, type Fields, listOf, numberOf, type Schema, textOf } from './fields.ts';
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
  /** Old names under which a field was last written alone: they are shown again on reading. */
  readonly legacy: readonly string[];
}

/** The old names of `token_…` fields; the articles of 2022 still use them. */
const legacyNames = ['policies', 'ttl', 'max_ttl', 'period', 'num_uses', 'bound_cidrs'] as const;

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

export const roleTokenSchema: Schema = {
  ...modern,
  policies: 'list',
  ttl: 'seconds',
  max_ttl: 'seconds',
  period: 'seconds',
  num_uses: 'int',
  bound_cidrs: 'list',
};

const noTokens: RoleTokens = {
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
export function readRoleTokens(fields: Fields, before: RoleTokens = noTokens): RoleTokens {
  const legacy = legacyNames.filter((name) => {
    if (`token_${name}` in fields) return name in fields;
    return name in fields || before.legacy.includes(name);
  });
  const said: Record<string, unknown> = { ...fields };
  for (const name of legacyNames) {
    if (name in fields && !(`token_${name}` in fields)) said[`token_${name}`] = fields[name];
  }
  const tokens: RoleTokens = {
    policies: 'token_policies' in said ? listOf(said, 'token_policies') : before.policies,
    ttl: numberOf(said, 'token_ttl', before.ttl),
    maxTtl: numberOf(said, 'token_max_ttl', before.maxTtl),
    explicitMaxTtl: numberOf(said, 'token_explicit_max_ttl', before.explicitMaxTtl),
    period: numberOf(said, 'token_period', before.period),
    numUses: numberOf(said, 'token_num_uses', before.numUses),
    boundCidrs: 'token_bound_cidrs' in said ? listOf(said, 'token_bound_cidrs') : before.boundCidrs,
    noDefaultPolicy: booleanOf(said, 'token_no_default_policy', before.noDefaultPolicy),
    type: textOf(said, 'token_type', before.type) || 'default',
    legacy,
  };
  if (tokens.maxTtl > 0 && tokens.ttl > tokens.maxTtl) {
    throw refuse('token ttl should not be greater than token max ttl');
  }
  if (tokens.type.endsWith('batch')) throw refuse('batch tokens are not offered by this server');
  return tokens;
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
    token_ttl: tokens.ttl,
    token_type: tokens.type,
  };
  for (const name of tokens.legacy) fields[name] = fields[`token_${name}`];
  return fields;
}
