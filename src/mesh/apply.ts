import { MeshrootError } from '../lib/errors.ts';
import { type ClusterFailure, settleClusters, throwFailures } from './each-cluster.ts';
import { MountTablesVault } from './mount-tables.ts';
import { persist } from './persist.ts';
import { groupsOf, isRoot, type PlannedResource, planOne } from './plan.ts';
import { ReadOnceVault } from './read-once.ts';
import { type DecideContext, isWriting, type Reach, type Resource, withVaults } from './resource.ts';

export interface ApplyProgress {
  /** Called when a resource has been looked at and, where needed, written. */
  done(item: PlannedResource, milliseconds: number): void;
  /** Called when a cluster is as wanted, or failed. */
  cluster?(name: string, failed: boolean): void;
}

export interface ApplyOptions {
  readonly adopt: boolean;
  readonly progress: ApplyProgress;
  /** How many clusters at one time. */
  readonly concurrency?: number;
  /** Once it is aborted no further cluster is begun. */
  readonly signal?: AbortSignal;
}

/**
 * As applyClusters.
 * @throws MeshrootError of the cluster that failed, or `clusters-failed` that names each; the others are brought to their end
 */
export async function apply(
  resources: readonly Resource[],
  world: Reach,
  options: ApplyOptions,
): Promise<void> {
  const failures = await applyClusters(resources, world, options);
  throwFailures(failures, [...groupsOf(resources).keys()].filter((group) => group !== 'mesh').length);
}

/**
 * Makes the world as wanted: shared resources first, then the clusters side by side, each in its own order. Every
 * resource is looked at again right before it is written, so a second apply, or one after a crash, finds what is done.
 * @returns the clusters that failed; the others are as wanted
 * @throws MeshrootError when what all share failed
 */
export async function applyClusters(
  resources: readonly Resource[],
  world: Reach,
  options: ApplyOptions,
): Promise<ClusterFailure[]> {
  const { concurrency, signal, progress } = options;
  const reach = withVaults(world, (vault) => new MountTablesVault(vault));
  const groups = groupsOf(resources);
  await applyInOrder(groups.get('mesh') ?? [], reach, options);
  groups.delete('mesh');
  // By now the root is as it stays: every cluster looks at it, Vault is asked once.
  const rooted = withVaults(reach, (vault) => new ReadOnceVault(vault, isRoot));
  const ended = (cluster: string, failed: boolean): void => {
    reach.release?.(cluster);
    progress.cluster?.(cluster, failed);
  };
  return settleClusters([...groups.keys()], { concurrency, signal, ended }, (cluster) =>
    applyInOrder(groups.get(cluster) ?? [], rooted, options),
  );
}

async function applyInOrder(
  group: readonly Resource[],
  reach: Reach,
  { adopt, progress }: ApplyOptions,
): Promise<void> {
  for (const resource of group) {
    const start = reach.clock.now();
    const context: DecideContext = { now: start, adopt };
    const item = await planOne(resource, reach, context);
    refuseIfAsked(item);
    const writes = isWriting(item.decision);
    if (writes) await persist(reach.clock, () => resource.write(reach, item.observed));
    progress.done(item, reach.clock.now() - start);
    if (!writes || resource.waits !== true) continue;
    const after = await planOne(resource, reach, context);
    if (after.decision.kind === 'wait') progress.done(after, 0);
  }
}

/** @throws MeshrootError the refusal, or `cannot-see` with the reason */
export function refuseIfAsked({ resource, decision }: PlannedResource): void {
  if (decision.kind === 'refuse') throw decision.error;
  if (decision.kind !== 'unseen') return;
  throw new MeshrootError(
    'cannot-see',
    `${resource.group}: ${resource.label} cannot be looked at: ${decision.why}`,
    { hint: decision.hint ?? 'apply needs to read what it writes; log in with a token that may', exit: 1 },
  );
}
