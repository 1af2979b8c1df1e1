import type { Context } from '../../core/backend.ts';
import { booleanOf, listOf, numberOf, textOf } from '../../core/fields.ts';
import { issueToken, type TokenOrder } from '../../core/issue-token.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { TokenEntry } from '../../core/tokens.ts';
import { sanitizePolicies } from '../../policy/policy.ts';

/** auth/token/create and create-orphan. @throws Refusal 400 in Vault's words */
export function createToken(context: Context, orphan: boolean): Result {
  const { fields, auth } = context;
  if (auth === undefined) throw refuse('permission denied', 403, 'token-missing');
  const parent = auth.token;
  const isSudo = auth.acl.allows({
    operation: 'update',
    path: context.request.path,
    data: {},
    needsSudo: true,
    wrapTtl: undefined,
  }).allowed;
  checkAllowed(context, parent, isSudo);
  const policies = policiesFor(context, parent, isSudo);
  const isOrphan = orphan || booleanOf(fields, 'no_parent');
  const ttl = numberOf(fields, 'ttl', numberOf(fields, 'lease'));
  const isRoot = policies.includes('root');
  const order: TokenOrder = {
    policies,
    noDefaultPolicy: true, // already added where it belongs
    displayName: `token${textOf(fields, 'display_name') === '' ? '' : `-${displayName(textOf(fields, 'display_name'))}`}`,
    meta: (fields.meta as Record<string, string> | undefined) ?? null,
    requestedTtl: ttl,
    roleTtl: 0,
    roleMaxTtl: 0,
    explicitMaxTtl: numberOf(fields, 'explicit_max_ttl'),
    period: numberOf(fields, 'period'),
    numUses: numberOf(fields, 'num_uses'),
    renewable: booleanOf(fields, 'renewable', true),
    boundCidrs: [],
    parent: isOrphan ? '' : parent.key,
    endless:
      isRoot && ttl === 0 && numberOf(fields, 'period') === 0 && numberOf(fields, 'explicit_max_ttl') === 0,
    ...(textOf(fields, 'id') === '' ? {} : { id: textOf(fields, 'id') }),
  };
  if (order.endless && parent.ttl > 0)
    throw refuse('expiring root tokens cannot create non-expiring root tokens');
  const unknown = policies.filter(
    (name) => context.services.policies.read(context.transaction, name) === undefined,
  );
  const result = issueToken(context, order);
  const warnings = [...unknown.map((name) => `Policy "${name}" does not exist`), ...(result.warnings ?? [])];
  return warnings.length === 0 ? result : { ...result, warnings };
}

function checkAllowed({ fields, services, transaction }: Context, parent: TokenEntry, isSudo: boolean): void {
  const id = textOf(fields, 'id');
  const type = textOf(fields, 'type');
  if (parent.numUses !== 0) throw refuse('restricted use token cannot generate child tokens');
  if (type !== '' && type !== 'service') {
    throw refuse(
      type === 'batch' ? 'batch tokens are not offered by this server' : `invalid 'token_type' value`,
    );
  }
  if (!isSudo) {
    if (booleanOf(fields, 'no_parent'))
      throw refuse('root or sudo privileges required to create orphan token');
    if (numberOf(fields, 'period') > 0)
      throw refuse('root or sudo privileges required to create periodic token');
    if (id !== '') throw refuse('root or sudo privileges required to specify token id');
  }
  if (id === '') return;
  if (id.startsWith('s.') || id.startsWith('hvs.'))
    throw refuse("custom token ID cannot have the 's.' prefix");
  if (id.includes('.')) throw refuse("custom token ID cannot have a '.' in the value");
  if (services.tokens.find(transaction, services.tokens.keyOf(id)) !== undefined) {
    throw refuse('cannot create a token with a duplicate ID');
  }
}

function policiesFor({ fields }: Context, parent: TokenEntry, isSudo: boolean): string[] {
  const asked = listOf(fields, 'policies');
  const addDefault = !booleanOf(fields, 'no_default_policy');
  const isRootParent = parent.policies.includes('root');
  if (asked.length === 0)
    return isRootParent
      ? ['root']
      : sanitizePolicies(parent.policies, addDefault && parent.policies.includes('default'));
  const policies = sanitizePolicies(asked, addDefault);
  if (policies.includes('root') && !isRootParent) {
    throw refuse('root tokens may not be created without parent token being root');
  }
  const isSubset = policies.every((name) => name === 'default' || parent.policies.includes(name));
  if (!isSudo && !isRootParent && !isSubset) throw refuse('child policies must be subset of parent');
  return policies;
}

const displayName = (text: string): string => text.replace(/[^a-zA-Z0-9-]/g, '-').replace(/^-+|-+$/g, '');
