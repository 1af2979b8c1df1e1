import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from './barrier.ts';
import { coerceFields, type Fields, type Schema } from './fields.ts';
import type { Lease } from './lease.ts';
import type { MountEntry } from './mount-entry.ts';
import type { Operation, Result, VaultRequest } from './request.ts';
import type { RequestAuth } from './request-auth.ts';
import type { Services } from './services.ts';
import type { StorageView, Transaction } from './storage.ts';
import type { TokenEntry } from './token-entry.ts';

/** All a handler may touch: its part of the store, its fields, and what the core lends it. */
export interface Context {
  readonly request: VaultRequest;
  readonly operation: Operation;
  /** Below the mount. */
  readonly path: string;
  readonly mount: MountEntry;
  /** Of this mount alone. */
  readonly store: StorageView;
  /** The whole transaction: for the core's own engines. */
  readonly transaction: Transaction;
  /** By the route's schema. */
  readonly fields: Fields;
  /** As sent. */
  readonly data: Fields;
  /** Undefined on unauthenticated routes. */
  readonly auth: RequestAuth | undefined;
  readonly services: Services;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What an engine has for work that nobody's request asked for. */
export type MountContext = Pick<Context, 'mount' | 'store' | 'services' | 'clock' | 'random' | 'log'>;

export type Handler = (context: Context) => Result | undefined | Promise<Result | undefined>;

export interface Route {
  /** `config`, `role/:name`, `data/*path`: a colon takes one segment, a star the rest (perhaps nothing). */
  readonly path: string;
  readonly fields?: Schema;
  readonly operations: Readonly<Partial<Record<Operation, Handler>>>;
  /** Whether the thing is there: decides between `create` and `update`. Without it every write is an update. */
  readonly exists?: (context: Context) => boolean;
  /** Needs the `sudo` capability too. */
  readonly sudo?: boolean;
  /** Answers without a token. */
  readonly open?: boolean;
  /** A login: its refusals are counted by role. */
  readonly login?: boolean;
}

/** An engine or auth method. */
export interface Backend extends Hooks {
  readonly type: string;
  readonly version: string;
  readonly routes: readonly Route[];
  match(path: string): RouteMatch | undefined;
  /** What a read of a wrong path may say beside 404. */
  readonly wrongPathWarning?: string;
  /**
   * The role of a token of this auth mount as it is now, in seconds; undefined when it is gone, `nothing` when the
   * method passes over the renewal without a word. @throws Refusal when the token may not be renewed
   */
  readonly renew?: (store: StorageView, role: string, renewal: Renewal) => RoleTtls | 'nothing' | undefined;
}

/** What a backend may do beside answering requests. */
export interface Hooks {
  /** Makes its own what the version of this engine before it left in the mount. */
  readonly takeOver?: (store: StorageView, now: number) => void;
  /**
   * Ends what a lease of this mount stands for, staged with the end of the lease itself.
   * @throws whatever keeps it from that: the lease stays and is tried again
   */
  readonly revokeLease?: (context: Pick<Context, 'store' | 'clock'>, lease: Lease) => void;
  /** How long a renewable lease may live on; undefined when it is not to be renewed any more. */
  readonly renewLease?: (context: Pick<Context, 'store' | 'clock'>, lease: Lease) => LeaseTtls | undefined;
  /** About once a minute while the store is open. What is put into `store` is committed afterwards. */
  readonly periodic?: (context: MountContext) => void | Promise<void>;
}

/** Seconds; 0 = the mount's. */
export interface LeaseTtls {
  readonly ttl: number;
  readonly maxTtl: number;
}

/** Who renews what. */
export interface Renewal {
  /** Milliseconds. */
  readonly now: number;
  readonly entry: TokenEntry;
  readonly request: VaultRequest;
}

export interface RoleTtls {
  readonly ttl: number;
  readonly maxTtl: number;
  readonly period: number;
  readonly explicitMaxTtl?: number;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Compiles a table of routes. The first that fits wins. */
export function defineBackend(o: Omit<Backend, 'version' | 'match'>): Backend {
  const compiled = o.routes.map((route) => ({ route, pattern: compile(route.path) }));
  return {
    ...o,
    version: 'v0.1.0+builtin.meshroot',
    match: (path) => {
      for (const { route, pattern } of compiled) {
        const groups = pattern.exec(path);
        if (groups !== null) return { route, params: groups.groups ?? {} };
      }
      return undefined;
    },
  };
}

function compile(path: string): RegExp {
  const parts = path.split('/').map((part) => {
    if (part.startsWith(':')) return `(?<${part.slice(1)}>[^/]+)`;
    if (part.startsWith('*')) return `(?<${part.slice(1)}>.*)`;
    return part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}/?$`, 's');
}

/** The route's fields of the URL and the body; the URL wins. */
export function fieldsOf({ route, params }: RouteMatch, data: Fields, operation: Operation): Fields {
  const { fields, exists } = route;
  if (fields === undefined) return params;
  // Upstream looks first whether the thing is there, and says there what is wrong, in fewer words.
  const isChecked = exists !== undefined && (operation === 'update' || operation === 'create');
  return { ...coerceFields(fields, data, isChecked ? '' : 'Field validation failed: '), ...params };
}
