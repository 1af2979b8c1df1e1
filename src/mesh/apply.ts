import { MeshrootError, messageOf } from '../lib/errors.ts';
import { MountTablesVault } from './mount-tables.ts';
import { persist } from './persist.ts';
import { defaultConcurrency, groupsOf, isRoot, type PlannedResource, planOne } from './plan.ts';
import { inPool } from './pool.ts';
import { ReadOnceVault } from './read-once.ts';
import { type DecideContext, type Reach, type Resource, withVaults } from './resource.ts';

export interface ApplyProgress {
  /** Called when a resource has been looked at and, where needed, written. */
  done(item: PlannedResource, milliseconds: number): void;
  /** Called when a cluster is as wanted. */
  cluster?(name: string): void;
}

export interface ApplyOptions {
  readonly adopt: boolean;
  readonly progress: ApplyProgress;
  /** How many clusters at one time. */
  readonly concurrency?: number;
}

/**
 * Makes the world as wanted: shared resources first, then the clusters side by side, each in its own order. Every
 * resource is looked at again right before it is written, so a second apply, or one after a crash, finds what is done.
 * @throws MeshrootError of the cluster that failed, or `clusters-failed` that names each; the others are brought to their end
 */
export async function apply(
  resources: readonly Resource[],
  world: Reach,
  options: ApplyOptions,
): Promise<void> {
  const reach = withVaults(world, (vault) => new MountTablesVault(vault));
  const groups = groupsOf(resources);
  await applyInOrder(groups.get('mesh') ?? [], reach, options);
  groups.delete('mesh');
  // By now the root is as it stays: every cluster looks at it, Vault is asked once.
  const rooted = withVaults(reach, (vault) => new ReadOnceVault(vault, isRoot));
  await eachCluster([...groups.keys()], options.concurrency, async (cluster) => {
    await applyInOrder(groups.get(cluster) ?? [], rooted, options);
    reach.release?.(cluster);
    options.progress.cluster?.(cluster);
  });
}

/** Runs `work` for every cluster to its end, then tells of those that failed. */
export async function eachCluster(
  clusters: readonly string[],
  concurrency: number | undefined,
  work: (cluster: string) => Promise<unknown>,
): Promise<void> {
  const results = await inPool(clusters, concurrency ?? defaultConcurrency, work);
  const failed = results.flatMap((result, i) =>
    result.status === 'rejected' ? [{ cluster: clusters[i], reason: result.reason as unknown }] : [],
  );
  const [first] = failed;
  if (first === undefined) return;
  if (failed.length === 1) throw first.reason;
  const lines = failed.map(({ cluster, reason }) => `\n  ${cluster}: ${messageOf(reason)}`);
  throw new MeshrootError(
    'clusters-failed',
    `${failed.length} of ${clusters.length} clusters failed:${lines.join('')}`,
    { hint: 'the others are done; run the same command again, it goes on where each one stopped', exit: 1 },
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
    const writes = item.decision.kind === 'add' || item.decision.kind === 'change';
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
