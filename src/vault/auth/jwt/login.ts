import { addressAllowed } from '../../core/authenticate.ts';
import type { Context } from '../../core/backend.ts';
import { textOf } from '../../core/fields.ts';
import { issueLogin } from '../../core/issue-login.ts';
import { denied, refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import { type Claims, checkBoundClaims, claimOf, listClaim, mappedClaims } from './claims.ts';
import type { KeySource } from './key-source.ts';
import { type JwtRole, readConfig, roles } from './store.ts';
import { audiencesOf, validateJwt } from './validate.ts';

/** A signed JWT for a token. @throws Refusal */
export async function login(context: Context, keys: KeySource): Promise<Result> {
  const { fields, store, request, clock } = context;
  const config = readConfig(store);
  if (config === undefined) throw refuse('could not load configuration', 400, 'login-no-config');
  const name = textOf(fields, 'role') || config.defaultRole;
  if (name === '') throw refuse('missing role', 400, 'login-role-missing');
  const role = roles.read(store, name);
  if (role === undefined) throw refuse(`role "${name}" could not be found`, 400, 'login-role-unknown');
  if (role.type === 'oidc') throw refuse('role with oidc role_type is not allowed');
  const jwt = textOf(fields, 'jwt');
  if (jwt === '') throw refuse('missing token', 400, 'login-jwt-missing');
  if (!addressAllowed(request.remoteAddress, role.tokens.boundCidrs)) {
    throw denied('login-address', 'the role is bound to other addresses');
  }
  const claims = await validateJwt(jwt, config, role, keys, clock);
  if (audiencesOf(claims).length > 0 && role.boundAudiences.length === 0) {
    throw refuse('audience claim found in JWT but no audiences bound to the role', 400, 'jwt-audience');
  }
  const user = userOf(claims, role);
  const meta = { ...mappedClaims(role.claimMappings ?? {}, claims), role: name };
  checkBoundClaims(role.boundClaims ?? {}, role.boundClaimsType, claims);
  return issueLogin(context, {
    tokens: role.tokens,
    displayName: user,
    meta,
    alias: { name: user, metadata: meta, ...groupsIn(claims, role) },
    role: name,
  });
}

/** Names of external groups. @throws Refusal 400 */
function groupsIn(claims: Claims, { groupsClaim }: JwtRole): { readonly groups?: readonly string[] } {
  if (groupsClaim === '') return {};
  const value = claimOf(claims, groupsClaim);
  const quoted = JSON.stringify(groupsClaim);
  if (value === undefined || value === null)
    throw refuse(`failed to fetch groups: ${quoted} claim not found in token`);
  const list = listClaim(value);
  if (list === undefined)
    throw refuse(`failed to fetch groups: ${quoted} claim could not be converted to string list`);
  const wrong = list.find((one) => typeof one !== 'string');
  if (wrong !== undefined)
    throw refuse(
      `failed to fetch groups: value ${String(wrong)} in groups claim could not be parsed as string`,
    );
  return { groups: list.map(String).filter((one) => one !== '') };
}

function userOf(claims: Claims, { userClaim, userClaimPointer }: JwtRole): string {
  const value = userClaimPointer ? claimOf(claims, userClaim) : claims[userClaim];
  if (value === undefined || value === null) throw refuse(`claim "${userClaim}" not found in token`);
  if (typeof value !== 'string') throw refuse(`claim "${userClaim}" could not be converted to string`);
  return value;
}
