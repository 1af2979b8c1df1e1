import type { Context } from './backend.ts';
import type { LoginAlias } from './identity-store.ts';
import { issueToken } from './issue-token.ts';
import type { Result } from './request.ts';
import type { RoleTokens } from './role-fields.ts';

/** What a method found out about who logs in. */
export interface Login {
  readonly tokens: RoleTokens;
  /** Behind the mount's name. */
  readonly displayName: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly alias: LoginAlias;
  /** What renewal looks for again. */
  readonly role: string;
  /** Kept with the token for renewal. */
  readonly login?: Readonly<Record<string, string>>;
  /** In place of the role's. */
  readonly boundCidrs?: readonly string[];
}

/** Stages the orphan token of a login as its role wants it. */
export function issueLogin(context: Context, login: Login): Result {
  const { tokens } = login;
  const mountName = context.mount.path.replace(/\/$/, '').replaceAll('/', '-');
  const { remoteAddress } = context.request;
  const bound = login.boundCidrs ?? tokens.boundCidrs;
  return issueToken(context, {
    policies: tokens.policies,
    noDefaultPolicy: tokens.noDefaultPolicy,
    displayName: login.displayName === '' ? mountName : `${mountName}-${login.displayName}`,
    meta: login.meta,
    requestedTtl: 0,
    roleTtl: tokens.ttl,
    roleMaxTtl: tokens.maxTtl,
    explicitMaxTtl: tokens.explicitMaxTtl,
    period: tokens.period,
    numUses: tokens.numUses,
    renewable: true,
    boundCidrs: tokens.strictlyBindIp === true ? [remoteAddress.replace(/^::ffff:/, '')] : bound,
    parent: '',
    role: login.role,
    alias: login.alias,
    type: typeOf(context, tokens.type),
    ...(login.login === undefined ? {} : { login: login.login }),
  });
}

/** The role's type, else what the mount prefers; a mount that insists has the last word. */
function typeOf({ mount }: Context, role: string): 'service' | 'batch' {
  const ofMount = mount.config.token_type ?? 'default-service';
  if (ofMount === 'service' || ofMount === 'batch') return ofMount;
  if (role === 'service' || role === 'batch') return role;
  return ofMount === 'default-batch' ? 'batch' : 'service';
}
