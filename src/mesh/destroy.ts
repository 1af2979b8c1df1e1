import { eachCluster } from './apply.ts';
import { groupsOf, isTable, planOne } from './plan.ts';
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
  const context = { now: reach.clock.now(), adopt: false };
  const once = withVaults(reach, (vault) => new ReadOnceVault(vault, isTable));
  const removals: Removal[] = [];
  for (const resource of [...resources].reverse()) {
    const { undo } = resource;
    if (undo === undefined) continue;
    const { observed, decision } = await planOne(resource, once, context);
    if (decision.kind === 'unseen') removals.push({ resource, observed, stays: decision.why });
    else if (undo.exists(observed)) {
      const stays = undo.made(observed) ? undefined : 'not made by meshroot';
      removals.push({ resource, observed, stays });
    }
  }
  return removals;
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
  };
  await eachCluster(
    [...groups.keys()].filter((name) => name !== 'mesh'),
    undefined,
    inOrder,
  );
  await inOrder('mesh');
}
