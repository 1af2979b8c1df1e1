import type { MeshrootError } from '../lib/errors.ts';
import { type PlannedResource, planOne } from './plan.ts';
import { isWriting, type Reach, type Resource } from './resource.ts';

/** What became of one group: `mesh`, or one cluster. */
export interface Outcome {
  /** Labels of what differed; written by now, unless `write` was false. */
  readonly differing: readonly string[];
  readonly refused: readonly { readonly label: string; readonly error: MeshrootError }[];
  /** What this login may not look at: `label: why`. */
  readonly unseen: readonly string[];
}

/**
 * Brings one group to what mesh.yaml wants, in its order; nothing of others is ever adopted. What comes after a refused
 * or unseen resource may depend on it, so it is looked at but not written.
 * @param write false: only look
 * @throws what Vault or the API server threw; safe to be called again after it
 */
export async function reconcile(
  group: readonly Resource[],
  reach: Reach,
  { write }: { readonly write: boolean },
): Promise<Outcome> {
  const items: PlannedResource[] = [];
  let blocked = !write;
  for (const resource of group) {
    const item = await planOne(resource, reach, { now: reach.clock.now(), adopt: false });
    items.push(item);
    blocked ||= item.decision.kind === 'refuse' || item.decision.kind === 'unseen';
    if (differs(item) && !blocked) await resource.write(reach, item.observed);
  }
  return outcomeOf(items);
}

const differs = ({ decision }: PlannedResource): boolean => isWriting(decision);

function outcomeOf(items: readonly PlannedResource[]): Outcome {
  return {
    differing: items.filter(differs).map(({ resource }) => resource.label),
    refused: items.flatMap(({ resource: { label }, decision }) =>
      decision.kind === 'refuse' ? [{ label, error: decision.error }] : [],
    ),
    unseen: items.flatMap(({ resource, decision }) =>
      decision.kind === 'unseen' ? [`${resource.label}: ${decision.why}`] : [],
    ),
  };
}
