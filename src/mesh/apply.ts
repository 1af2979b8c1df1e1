import { MeshrootError } from '../lib/errors.ts';
import { type PlannedResource, planOne } from './plan.ts';
import type { DecideContext, Reach, Resource } from './resource.ts';

export interface ApplyProgress {
  /** Called when a resource has been looked at and, where needed, written. */
  done(item: PlannedResource, milliseconds: number): void;
}

/**
 * Makes the world as wanted: shared resources first, then the clusters side by side, each in its own order. Every
 * resource is looked at again right before it is written, so a second apply, or one after a crash, finds what is done.
 * @throws MeshrootError of the first refusal; the other clusters are still brought to their end
 */
export async function apply(
  resources: readonly Resource[],
  reach: Reach,
  options: { adopt: boolean; progress: ApplyProgress },
): Promise<void> {
  const of = (name: string) => resources.filter(({ group }) => group === name);
  const clusters = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== 'mesh');
  await applyInOrder(of('mesh'), reach, options);
  const results = await Promise.allSettled(
    clusters.map((cluster) => applyInOrder(of(cluster), reach, options)),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function applyInOrder(
  group: readonly Resource[],
  reach: Reach,
  { adopt, progress }: { adopt: boolean; progress: ApplyProgress },
): Promise<void> {
  for (const resource of group) {
    const start = reach.clock.now();
    const context: DecideContext = { now: start, adopt };
    const item = await planOne(resource, reach, context);
    refuseIfAsked(item);
    if (item.decision.kind !== 'keep') await resource.write(reach, item.observed);
    progress.done(item, reach.clock.now() - start);
  }
}

function refuseIfAsked({ resource, decision }: PlannedResource): void {
  if (decision.kind === 'refuse') throw decision.error;
  if (decision.kind !== 'unseen') return;
  throw new MeshrootError(
    'cannot-see',
    `${resource.group}: ${resource.label} cannot be looked at: ${decision.why}`,
    {
      hint: 'apply needs to read what it writes; log in with a token that may',
      exit: 1,
    },
  );
}
