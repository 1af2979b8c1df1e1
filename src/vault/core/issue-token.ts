import { sanitizePolicies } from '../policy/policy.ts';
import { identityPoliciesOf } from './authenticate.ts';
import type { Context } from './backend.ts';
import { setExternalGroups } from './group-store.ts';
import { type Entity, entityOfLogin, type LoginAlias, readEntity } from './identity-store.ts';
import { effectiveDefaultTtl, effectiveMaxTtl, fullPath } from './mount-entry.ts';
import { denied, refuse } from './refusal.ts';
import type { Result } from './request.ts';
import type { NewToken } from './token-entry.ts';
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
  readonly type?: 'service' | 'batch';
  /** Who logged in: makes or finds the entity. */
  readonly alias?: LoginAlias;
  /** Of a child: the entity that it takes over. */
  readonly entityId?: string;
  readonly login?: Readonly<Record<string, string>>;
  /** The path that the token is known by, if not the request's. */
  readonly path?: string;
}

/** Stages a token with its lease and gives the answer. */
export function issueToken(context: Context, order: TokenOrder): Result {
  const { services, transaction, mount } = context;
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
  const entity = order.alias === undefined ? undefined : loginEntity(context, order.alias);
  const isBatch = order.type === 'batch';
  const entityId = entity?.id ?? order.entityId;
  const wanted: NewToken = {
    policies,
    path: order.path ?? context.request.path,
    meta: order.meta,
    displayName: order.displayName,
    numUses: order.numUses,
    parent: order.parent,
    ttl: ttl * 1000,
    explicitMaxTtl: order.explicitMaxTtl * 1000,
    period: order.period * 1000,
    renewable: order.renewable && ttl > 0 && !isBatch,
    boundCidrs: order.boundCidrs,
    noDefaultPolicy: order.noDefaultPolicy,
    ...(isBatch ? { type: 'batch' as const } : {}),
    ...(entityId === undefined || entityId === '' ? {} : { entityId }),
    ...(order.login === undefined ? {} : { login: order.login }),
    ...(order.role === undefined ? {} : { role: order.role }),
    ...(order.id === undefined ? {} : { id: order.id }),
  };
  const { token, entry } = isBatch
    ? services.tokens.createBatch(wanted, services.leases.now())
    : services.tokens.create(transaction, wanted, services.leases.now());
  transaction.afterCommit(() =>
    services.metrics.tokenCreated({ mount: fullPath(mount), type: order.type ?? 'service' }),
  );
  const auth = authResult(entry, token, ttl * 1000, identityPoliciesOf(transaction, entity));
  return { auth, ...(warnings.length > 0 ? { warnings } : {}) };
}

function loginEntity(context: Context, alias: LoginAlias): Entity {
  const { transaction, mount, random, clock } = context;
  const entity = entityOfLogin(transaction, mount, alias, random, clock.now());
  if (entity.disabled) throw denied('entity-disabled', 'the entity behind the login is disabled');
  if (alias.groups === undefined) return entity;
  setExternalGroups(transaction, mount.accessor, entity.id, alias.groups);
  return readEntity(transaction, entity.id) ?? entity;
}
