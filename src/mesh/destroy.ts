import { eachCluster } from './each-cluster.ts';
import { defaultConcurrency, groupsOf, isTable, planOne } from './plan.ts';
import { inPool } from './pool.ts';
import { ReadOnceVault } from './read-once.ts';
import { type Reach, type Resource, withVaults } from './resource.ts';

/** What becomes of one resource when the mesh is taken away. */
export interface Removal {
  readonly resource: Resource;
  readonly observed: unknown;
  /** Why it stays; undefined = it goes. */
  readonly stays: string | undefined;
}

/**
 * Looks at what is there (reads only) and says what goes: all that meshroot made, last made first. What others made
 * stays, and what is inside of it.
 */
export async function planDestroy(resources: readonly Resource[], reach: Reach): Promise<Removal[]> {
  const tables = withVaults(reach, (vault) => new ReadOnceVault(vault, isTable));
  const groups = [...groupsOf([...resources].reverse())];
  const settled = await inPool(groups, defaultConcurrency, async ([group, members]) => {
    const removals: Removal[] = [];
    for (const resource of members) removals.push(...(await removalOf(resource, tables)));
    reach.release?.(group);
    return removals;
  });
  return settled.flatMap((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Nothing when there is nothing to take away. */
async function removalOf(resource: Resource, reach: Reach): Promise<Removal[]> {
  const { undo } = resource;
  if (undo === undefined) return [];
  const context = { now: reach.clock.now(), adopt: false };
  const { observed, decision } = await planOne(resource, reach, context);
  if (decision.kind === 'unseen') return [{ resource, observed, stays: decision.why }];
  if (!undo.exists(observed)) return [];
  return [{ resource, observed, stays: undo.made(observed) ? undefined : 'not made by meshroot' }];
}

export interface DestroyProgress {
  /** @param why it stayed after all; undefined = it is gone */
  removed(resource: Resource, why: string | undefined): void;
}

/** Takes away what the plan says goes: clusters side by side, each backwards, then what they shared. May be run again. */
export async function destroy(
  removals: readonly Removal[],
  reach: Reach,
  progress: DestroyProgress,
): Promise<void> {
  const going = removals.filter(({ stays }) => stays === undefined);
  const observed = new Map(going.map((removal) => [removal.resource, removal.observed]));
  const groups = groupsOf(going.map(({ resource }) => resource));
  const inOrder = async (group: string): Promise<void> => {
    for (const resource of groups.get(group) ?? []) {
      progress.removed(resource, await resource.undo?.remove(reach, observed.get(resource)));
    }
    reach.release?.(group);
  };
  await eachCluster(
    [...groups.keys()].filter((name) => name !== 'mesh'),
    {},
    inOrder,
  );
  await inOrder('mesh');
}
