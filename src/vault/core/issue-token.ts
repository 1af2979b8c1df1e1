import { sanitizePolicies } from '../policy/policy.ts';
import type { Context } from './backend.ts';
import { effectiveDefaultTtl, effectiveMaxTtl, fullPath } from './mount-entry.ts';
import { refuse } from './refusal.ts';
import type { Result } from './request.ts';
import { authResult } from './tokens.ts';
import { tokenTtl } from './ttl.ts';

/** What a login (or auth/token/create) asks the core for. Durations in seconds. */
export interface TokenOrder {
  readonly policies: readonly string[];
  readonly noDefaultPolicy: boolean;
  readonly displayName: string;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly requestedTtl: number;
  readonly roleTtl: number;
  readonly roleMaxTtl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly numUses: number;
  readonly renewable: boolean;
  readonly boundCidrs: readonly string[];
  /** Key of the parent; empty makes an orphan. */
  readonly parent: string;
  readonly role?: string;
  readonly id?: string;
  /** A root token without an end. */
  readonly endless?: boolean;
}

/** Stages a token with its lease and gives the answer. */
export function issueToken(context: Context, order: TokenOrder): Result {
  const { services, transaction, mount, clock } = context;
  const policies = sanitizePolicies(order.policies, !order.noDefaultPolicy);
  if (policies.includes('root') && mount.type !== 'token') {
    throw refuse('auth methods cannot create root tokens', 400, 'root-by-login');
  }
  const { ttl, warnings } = order.endless
    ? { ttl: 0, warnings: [] }
    : tokenTtl({
        requested: order.requestedTtl,
        roleTtl: order.roleTtl,
        roleMaxTtl: order.roleMaxTtl,
        explicitMaxTtl: order.explicitMaxTtl,
        period: order.period,
        mountDefault: effectiveDefaultTtl(mount),
        mountMax: effectiveMaxTtl(mount),
        age: 0,
      });
  const { token, entry } = services.tokens.create(
    transaction,
    {
      policies,
      path: context.request.path,
      meta: order.meta,
      displayName: order.displayName,
      numUses: order.numUses,
      parent: order.parent,
      ttl: ttl * 1000,
      explicitMaxTtl: order.explicitMaxTtl * 1000,
      period: order.period * 1000,
      renewable: order.renewable && ttl > 0,
      boundCidrs: order.boundCidrs,
      noDefaultPolicy: order.noDefaultPolicy,
      ...(order.role === undefined ? {} : { role: order.role }),
      ...(order.id === undefined ? {} : { id: order.id }),
    },
    clock.now(),
  );
  transaction.afterCommit(() => services.metrics.tokenCreated({ mount: fullPath(mount), type: 'service' }));
  return { auth: authResult(entry, token, ttl * 1000), ...(warnings.length > 0 ? { warnings } : {}) };
}
