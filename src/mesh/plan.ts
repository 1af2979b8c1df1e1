import { VaultError } from '../client/vault-error.ts';
import { MeshrootError } from '../lib/errors.ts';
import { persist } from './persist.ts';
import { inPool } from './pool.ts';
import { ReadOnceVault } from './read-once.ts';
import {
  clusterVault,
  type DecideContext,
  type Decision,
  isWriting,
  type Reach,
  type Resource,
  withVaults,
} from './resource.ts';

export interface PlannedResource {
  readonly resource: Resource;
  readonly observed: unknown;
  readonly decision: Decision;
}

export interface Plan {
  readonly items: readonly PlannedResource[];
  /** True when applying it would write something. */
  readonly changes: boolean;
}

/**
 * Exit code of a plan: 1 when something differs, waits or is refused; 2 when nothing does as far as could be seen but not
 * everything could be, so that a pipeline never takes "cannot tell" for "as it should be"; else 0.
 */
export function exitCodeOf({ items }: Plan): 0 | 1 | 2 {
  const kinds = new Set(items.map(({ decision }) => decision.kind));
  if (['add', 'change', 'remove', 'wait', 'refuse'].some((kind) => kinds.has(kind as Decision['kind'])))
    return 1;
  return kinds.has('unseen') ? 2 : 0;
}

/** How many clusters are looked at, or written to, at one time. */
export const defaultConcurrency = 16;

export interface PlanOptions {
  /** How many clusters at one time. */
  readonly concurrency?: number;
  /** Once it is aborted the plan is given up. */
  readonly signal?: AbortSignal;
  /** Called when a cluster (or what all share) has been looked at. */
  looked?(group: string): void;
}

/**
 * Looks at everything (reads only) and decides what each resource needs. A cluster at a time, some side by side; of each
 * only the decisions are kept, so that a thousand clusters need little more room than ten.
 */
export async function makePlan(
  resources: readonly Resource[],
  reach: Reach,
  context: DecideContext,
  { concurrency = defaultConcurrency, looked, signal }: PlanOptions = {},
): Promise<Plan> {
  const tables = snapshots(reach, isTable);
  const look = async ([group, members]: [string, Resource[]]): Promise<PlannedResource[]> => {
    const once = snapshots(tables);
    const seen = await Promise.all(members.map((resource) => planOne(resource, once, context))).catch(
      (error: unknown) => withoutItsVault(reach, members, error),
    );
    reach.release?.(group);
    looked?.(group);
    return seen.map(({ resource, decision }) => ({ resource, decision, observed: undefined }));
  };
  const settled = await inPool([...groupsOf(resources)], concurrency, look, signal);
  const items = settled.flatMap((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  return {
    items,
    changes: items.some(({ decision }) => isWriting(decision)),
  };
}

/** A Vault that serves some of the clusters and is away spoils the rows of those, not the plan. */
function withoutItsVault(reach: Reach, members: readonly Resource[], error: unknown): PlannedResource[] {
  const group = members[0]?.group ?? 'mesh';
  const shared = group === 'mesh' || clusterVault(reach, group) === reach.vault;
  if (shared || !(error instanceof VaultError)) throw error;
  const decision: Decision = { kind: 'unseen', why: error.message, hint: error.hint };
  return members.map((resource) => ({ resource, observed: undefined, decision }));
}

/** What all clusters share: the tables of mounts, and the root. */
export const isTable = (path: string): boolean => /^sys\/(mounts|auth)$/.test(path) || isRoot(path);
export const isRoot = (path: string): boolean => /^.+\/(issuers|cert\/ca)$/.test(path);

export function groupsOf(resources: readonly Resource[]): Map<string, Resource[]> {
  const groups = new Map<string, Resource[]>();
  for (const resource of resources) {
    const group = groups.get(resource.group) ?? [];
    groups.set(resource.group, group);
    group.push(resource);
  }
  return groups;
}

/** One resource, as the world is now. */
export async function planOne(
  resource: Resource,
  reach: Reach,
  context: DecideContext,
): Promise<PlannedResource> {
  try {
    const observed = await persist(reach.clock, () => resource.observe(reach));
    return { resource, observed, decision: resource.decide(observed, context) };
  } catch (error) {
    return { resource, observed: undefined, decision: unseen(error) };
  }
}

/** The same reach, each of whose Vaults remembers what it was asked. */
const snapshots = (reach: Reach, keeps?: (path: string) => boolean): Reach =>
  withVaults(reach, (vault) => new ReadOnceVault(vault, keeps));

/** Without Vault there is no plan; a cluster that does not answer or may not be looked at spoils only its own rows. */
function unseen(error: unknown): Decision {
  if (!(error instanceof MeshrootError)) throw error;
  const { hint } = error;
  if (error instanceof VaultError) {
    if (error.status !== 403) throw error;
    return { kind: 'unseen', why: 'permission denied', hint };
  }
  return { kind: 'unseen', why: error.message, hint };
}
