import type { Context } from '../../core/backend.ts';
import { booleanOf, listOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { TokenEntry } from '../../core/token-entry.ts';
import { wrappingPolicyName } from '../../policy/builtin-policies.ts';
import { globMatches } from '../../policy/parameters.ts';
import { sanitizePolicies } from '../../policy/policy.ts';
import type { TokenRole } from './role-store.ts';

/** The policies of a new token: what was asked for, within what role, parent and caller allow. @throws Refusal 400 */
export function policiesFor(
  context: Context,
  parent: TokenEntry,
  isSudo: boolean,
  role: TokenRole | undefined,
): string[] {
  const { fields } = context;
  const noDefault = booleanOf(fields, 'no_default_policy');
  const chosen =
    role !== undefined && hasLists(role) ? ofRole(context, parent, role) : ofParent(context, parent, isSudo);
  const policies = noDefault ? chosen.filter((name) => name !== 'default') : chosen;
  if (policies.includes(wrappingPolicyName)) throw refuse(`cannot assign policy "${wrappingPolicyName}"`);
  if (policies.includes('root') && !parent.policies.includes('root')) {
    throw refuse('root tokens may not be created without parent token being root');
  }
  return policies;
}

const hasLists = (role: TokenRole): boolean =>
  [role.allowedPolicies, role.allowedGlobs, role.disallowedPolicies, role.disallowedGlobs].some(
    (list) => list.length > 0,
  );

const inGlobs = (globs: readonly string[], name: string): boolean =>
  globs.some((glob) => globMatches(glob, name));

function ofRole({ fields }: Context, parent: TokenEntry, role: TokenRole): string[] {
  const addDefault =
    !booleanOf(fields, 'no_default_policy') &&
    !role.tokens.noDefaultPolicy &&
    !role.disallowedPolicies.includes('default') &&
    !inGlobs(role.disallowedGlobs, 'default');
  const asked = listOf(fields, 'policies');
  const wanted = asked.length === 0 ? [] : sanitizePolicies(asked, addDefault);
  const allowed = sanitizePolicies(role.allowedPolicies, addDefault);
  const isLimited = role.allowedPolicies.length > 0 || role.allowedGlobs.length > 0;
  const policies =
    wanted.length > 0 ? wanted : isLimited ? allowed : sanitizePolicies(parent.policies, addDefault);
  if (isLimited && wanted.some((name) => !allowed.includes(name) && !inGlobs(role.allowedGlobs, name))) {
    throw refuse(
      `token policies (${quoted(wanted)}) must be subset of the role's allowed policies (${quoted(allowed)}) or glob policies (${quoted(role.allowedGlobs)})`,
    );
  }
  const bad = policies.find(
    (name) => role.disallowedPolicies.includes(name) || inGlobs(role.disallowedGlobs, name),
  );
  if (bad !== undefined) throw refuse(`token policy "${bad}" is disallowed by this role`);
  return policies;
}

const quoted = (names: readonly string[]): string =>
  `[${names.map((name) => JSON.stringify(name)).join(' ')}]`;

function ofParent({ fields }: Context, parent: TokenEntry, isSudo: boolean): string[] {
  const asked = listOf(fields, 'policies');
  const noDefault = booleanOf(fields, 'no_default_policy');
  if (asked.length === 0) return sanitizePolicies(parent.policies, false);
  if (isSudo) return sanitizePolicies(asked, !noDefault);
  const wanted = sanitizePolicies(asked, false);
  if (!wanted.every((name) => parent.policies.includes(name))) {
    throw refuse(
      wanted.includes('root')
        ? 'root tokens may not be created without parent token being root'
        : 'child policies must be subset of parent',
    );
  }
  return sanitizePolicies(asked, !noDefault && parent.policies.includes('default'));
}
