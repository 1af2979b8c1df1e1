import type { Context } from '../../core/backend.ts';
import { booleanOf, type Fields, numberOf, textOf } from '../../core/fields.ts';
import { entityOfLogin } from '../../core/identity-store.ts';
import { issueToken } from '../../core/issue-token.ts';
import { denied, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { TokenEntry } from '../../core/token-entry.ts';
import { durationOf, lifetimeOf } from './lifetime.ts';
import { policiesFor } from './policies-for.ts';
import { readTokenRole, type TokenRole } from './role-store.ts';

/** auth/token/create/ROLE. @throws Refusal 400 in Vault's words */
export function createAgainstRole(context: Context): Result {
  const name = textOf(context.fields, 'role_name');
  const role = readTokenRole(context.store, name);
  if (role === undefined) throw refuse(`unknown role ${name}`);
  return createToken(context, false, role);
}

/** auth/token/create and create-orphan. @throws Refusal 400 in Vault's words */
export function createToken(context: Context, orphan: boolean, role?: TokenRole): Result {
  const { fields, auth, request } = context;
  if (auth === undefined) throw refuse('permission denied', 403, 'token-missing');
  const parent = auth.token;
  if (parent.type === 'batch') throw refuse('batch tokens cannot create more tokens');
  if (parent.numUses !== 0) throw refuse('restricted use token cannot generate child tokens');
  const isSudo = hasSudo(context);
  const type = typeOf(fields, role);
  const entityId = explicitEntity(context, role);
  checkId(context, isSudo);
  const policies = policiesFor(context, parent, isSudo, role);
  if (type === 'batch' && policies.includes('root')) throw refuse('batch tokens cannot be root tokens');
  const isOrphan = orphanOf(fields, orphan, isSudo, role);
  const life = lifetimeOf(context, isSudo, type, role);
  const isEndless =
    policies.includes('root') && life.ttl === 0 && life.period === 0 && life.explicitMaxTtl === 0;
  if (isEndless && parent.ttl > 0) {
    throw refuse('expiring root tokens cannot create non-expiring root tokens');
  }
  const id = textOf(fields, 'id');
  const inherited = isOrphan ? undefined : parent.entityId;
  const owner = entityId ?? inherited;
  const result = issueToken(context, {
    policies,
    noDefaultPolicy: true, // already added where it belongs
    displayName: displayName(textOf(fields, 'display_name')),
    meta: (fields.meta as Record<string, string> | undefined) ?? null,
    requestedTtl: life.ttl,
    roleTtl: 0,
    roleMaxTtl: 0,
    explicitMaxTtl: life.explicitMaxTtl,
    period: life.period,
    numUses: usesOf(fields, role),
    renewable: booleanOf(fields, 'renewable', true) && (role?.renewable ?? true),
    boundCidrs: isEndless ? [] : boundTo(parent, isOrphan, role),
    parent: isOrphan ? '' : parent.key,
    endless: isEndless,
    type,
    path: role === undefined || role.pathSuffix === '' ? request.path : `${request.path}/${role.pathSuffix}`,
    ...(owner === undefined ? {} : { entityId: owner }),
    ...(role === undefined ? {} : { role: role.name }),
    ...(id === '' ? {} : { id }),
  });
  return withWarnings(context, result, policies, [...life.warnings, ...(id === '' ? [] : [customId])]);
}

/** Upstream's words, so that clients know them; here such a token is kept under an HMAC as any other. */
const customId =
  'Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less secure lookups.';

function withWarnings(
  { services, transaction }: Context,
  result: Result,
  policies: readonly string[],
  ofLife: readonly string[],
): Result {
  const now = services.leases.now();
  const unknown = policies.filter((name) => services.policies.read(transaction, name, now) === undefined);
  const ofPolicies = unknown.map((name) => `Policy "${name}" does not exist`);
  const warnings = [...ofLife, ...(result.warnings ?? []), ...ofPolicies];
  return warnings.length === 0 ? result : { ...result, warnings };
}

function hasSudo({ auth, request }: Context): boolean {
  const question = { operation: 'update', path: request.path, data: {}, needsSudo: true } as const;
  return auth?.acl.allows({ ...question, wrapTtl: undefined }).allowed === true;
}

/** A role may leave the choice, and say what is meant when nothing is said. */
function typeOf(fields: Fields, role: TokenRole | undefined): 'service' | 'batch' {
  const asked = textOf(fields, 'type');
  const wanted =
    role?.type === 'service' || role?.type === 'batch'
      ? role.type
      : asked || (role?.type === 'default-batch' ? 'batch' : 'service');
  if (wanted === 'batch') {
    const bad = ['explicit_max_ttl', 'num_uses', 'period'].find((name) => durationOf(fields, name) !== 0);
    if (bad !== undefined) throw refuse(`batch tokens cannot have "${bad}" set`);
  }
  if (wanted !== 'service' && wanted !== 'batch') throw refuse("invalid 'token_type' value");
  if (numberOf(fields, 'num_uses') < 0) throw refuse('number of uses cannot be negative');
  return wanted;
}

function explicitEntity(context: Context, role: TokenRole | undefined): string | undefined {
  const { fields, transaction, mount, random, clock } = context;
  const name = textOf(fields, 'entity_alias');
  if (name === '') return undefined;
  if (role === undefined) throw refuse("'entity_alias' is only allowed in combination with token role");
  const allowed = role.allowedEntityAliases ?? [];
  const isAllowed = allowed.some((pattern) =>
    pattern.endsWith('*')
      ? name.toLowerCase().startsWith(pattern.slice(0, -1))
      : pattern === name.toLowerCase(),
  );
  if (!isAllowed) throw refuse("invalid 'entity_alias' value");
  const entity = entityOfLogin(transaction, mount, { name }, random, clock.now());
  if (entity.disabled) throw denied('entity-disabled', 'the entity behind the alias is disabled');
  return entity.id;
}

function checkId({ fields, services, transaction }: Context, isSudo: boolean): void {
  const id = textOf(fields, 'id');
  if (id === '') return;
  if (!isSudo) throw refuse('root or sudo privileges required to specify token id');
  for (const prefix of ['hvs.', 's.'])
    if (id.startsWith(prefix)) throw refuse(`custom token ID cannot have the '${prefix}' prefix`);
  if (id.includes('.')) throw refuse("custom token ID cannot have a '.' in the value");
  if (services.tokens.find(transaction, services.tokens.keyOf(id)) !== undefined) {
    throw refuse('cannot create a token with a duplicate ID');
  }
}

function orphanOf(fields: Fields, orphan: boolean, isSudo: boolean, role: TokenRole | undefined): boolean {
  if (role !== undefined) return role.orphan;
  if (!booleanOf(fields, 'no_parent')) return orphan;
  if (!isSudo) throw refuse('root or sudo privileges required to create orphan token');
  return true;
}

/** 0 means unlimited: the lesser of what is limited. */
function usesOf(fields: Fields, role: TokenRole | undefined): number {
  const limits = [numberOf(fields, 'num_uses'), role?.tokens.numUses ?? 0].filter((uses) => uses > 0);
  return limits.length === 0 ? 0 : Math.min(...limits);
}

function boundTo(parent: TokenEntry, isOrphan: boolean, role: TokenRole | undefined): readonly string[] {
  if (role !== undefined) return role.tokens.boundCidrs;
  return isOrphan ? [] : parent.boundCidrs;
}

function displayName(asked: string): string {
  return asked === '' ? 'token' : `token-${asked}`.replace(/[^a-zA-Z0-9-]/g, '-').replace(/-$/, '');
}
