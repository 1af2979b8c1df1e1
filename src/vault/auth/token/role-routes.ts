import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, type Fields, listOf, type Schema, textOf } from '../../core/fields.ts';
import { effectiveMaxTtl } from '../../core/mount-entry.ts';
import { Refusal, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { noTokens, type RoleTokens, readRoleTokens, roleTokenSchemaOf } from '../../core/role-fields.ts';
import { sanitizePolicies } from '../../policy/policy.ts';
import {
  deleteTokenRole,
  listTokenRoles,
  putTokenRole,
  readTokenRole,
  type TokenRole,
} from './role-store.ts';

const legacy = ['period', 'explicit_max_ttl', 'bound_cidrs'] as const;
const types = ['service', 'batch', 'default-service', 'default-batch'];
const suffixPattern = /\w[\w\-.]+\w/;

const schema: Schema = {
  ...roleTokenSchemaOf(legacy),
  allowed_policies: 'list',
  allowed_policies_glob: 'list',
  disallowed_policies: 'list',
  disallowed_policies_glob: 'list',
  allowed_entity_aliases: 'list',
  orphan: 'bool',
  renewable: 'bool',
  path_suffix: 'string',
};

/** Roles that say what tokens may be made against them. */
export const roleRoutes = (): Route[] => [
  { path: 'roles', operations: { list } },
  {
    path: 'roles/:role_name',
    fields: schema,
    exists: ({ store, fields }) => readTokenRole(store, textOf(fields, 'role_name')) !== undefined,
    operations: {
      read: ({ store, fields }) => {
        const role = readTokenRole(store, textOf(fields, 'role_name'));
        return role && { data: roleFields(role) };
      },
      create: write,
      update: write,
      delete: ({ store, fields }) => {
        deleteTokenRole(store, textOf(fields, 'role_name'));
        return undefined;
      },
    },
  },
];

function list({ store }: Context): Result | undefined {
  const keys = listTokenRoles(store);
  return keys.length === 0 ? undefined : { data: { keys } };
}

function write({ store, fields, mount }: Context): Result | undefined {
  const name = textOf(fields, 'role_name');
  const before = readTokenRole(store, name);
  const role: TokenRole = {
    name,
    allowedPolicies: names(fields, 'allowed_policies', before?.allowedPolicies),
    allowedGlobs: names(fields, 'allowed_policies_glob', before?.allowedGlobs),
    disallowedPolicies: names(fields, 'disallowed_policies', before?.disallowedPolicies),
    disallowedGlobs: names(fields, 'disallowed_policies_glob', before?.disallowedGlobs),
    allowedEntityAliases:
      'allowed_entity_aliases' in fields
        ? names(fields, 'allowed_entity_aliases')
        : (before?.allowedEntityAliases ?? null),
    orphan: booleanOf(fields, 'orphan', before?.orphan ?? false),
    renewable: booleanOf(fields, 'renewable', before?.renewable ?? true),
    pathSuffix: suffix(textOf(fields, 'path_suffix', before?.pathSuffix)),
    tokens: readTokens(fields, before?.tokens),
    type: typeOf(fields, before),
  };
  checkBatch(role);
  putTokenRole(store, role);
  const warnings = warningsOf(fields, role, effectiveMaxTtl(mount));
  return warnings.length === 0 ? undefined : { warnings };
}

const names = (fields: Fields, name: string, before: readonly string[] = []): readonly string[] =>
  name in fields ? sanitizePolicies(listOf(fields, name), false) : before;

function suffix(text: string): string {
  if (text === '') return text;
  if (!suffixPattern.test(text)) {
    throw refuse('given role path suffix contains invalid characters; must match \\w[\\w-.]+\\w');
  }
  if (text.includes('..'))
    throw refuse('error registering path suffix: path cannot contain parent references');
  return text;
}

function typeOf(fields: Fields, before: TokenRole | undefined): string {
  if (!('token_type' in fields)) return before?.type ?? 'default-service';
  const type = textOf(fields, 'token_type');
  if (!types.includes(type)) throw refuse(`invalid 'token_type' value ${JSON.stringify(type)}`);
  return type;
}

/** Without the type, of which these roles know more kinds. */
function readTokens(fields: Fields, before: RoleTokens = noTokens): RoleTokens {
  const rest = Object.fromEntries(
    Object.entries(fields).filter(([name]) => name !== 'token_type' && !(`token_${name}` in fields)),
  );
  try {
    return readRoleTokens(rest, before, legacy);
  } catch (error) {
    if (!(error instanceof Refusal) || error.message.startsWith('error converting')) throw error;
    throw refuse(`error parsing role fields: ${error.message}`);
  }
}

function checkBatch({ type, orphan, renewable, tokens }: TokenRole): void {
  if (type !== 'batch') return;
  const text = "'token_type' cannot be 'batch' when role is set to generate";
  if (!orphan) throw refuse(`${text} non-orphan tokens`);
  if (tokens.period !== 0) throw refuse(`${text} periodic tokens`);
  if (renewable) throw refuse(`${text} renewable tokens`);
  if (tokens.explicitMaxTtl !== 0) throw refuse(`${text} tokens with an explicit max TTL`);
}

function warningsOf(fields: Fields, { tokens }: TokenRole, mountMax: number): string[] {
  const both = legacy.filter((name) => name in fields && `token_${name}` in fields);
  const max = tokens.explicitMaxTtl;
  return [
    ...both.map(
      (name) => `Both 'token_${name}' and deprecated '${name}' value supplied, ignoring the deprecated value`,
    ),
    ...(max > mountMax
      ? [
          `Given explicit max TTL of ${max} is greater than system/mount allowed value of ${mountMax} seconds; until this is fixed attempting to create tokens against this role will result in an error`,
        ]
      : []),
  ];
}

function roleFields(role: TokenRole): Fields {
  const { tokens } = role;
  const wasOld = (name: (typeof legacy)[number]): boolean => tokens.legacy.includes(name);
  return {
    allowed_entity_aliases: role.allowedEntityAliases,
    allowed_policies: role.allowedPolicies,
    allowed_policies_glob: role.allowedGlobs,
    disallowed_policies: role.disallowedPolicies,
    disallowed_policies_glob: role.disallowedGlobs,
    explicit_max_ttl: wasOld('explicit_max_ttl') ? tokens.explicitMaxTtl : 0,
    name: role.name,
    orphan: role.orphan,
    path_suffix: role.pathSuffix,
    period: wasOld('period') ? tokens.period : 0,
    renewable: role.renewable,
    token_explicit_max_ttl: tokens.explicitMaxTtl,
    token_no_default_policy: tokens.noDefaultPolicy,
    token_period: tokens.period,
    token_type: role.type,
    ...(tokens.boundCidrs.length === 0 ? {} : { token_bound_cidrs: tokens.boundCidrs }),
    ...(tokens.boundCidrs.length > 0 && wasOld('bound_cidrs') ? { bound_cidrs: tokens.boundCidrs } : {}),
    ...(tokens.numUses === 0 ? {} : { token_num_uses: tokens.numUses }),
  };
}
