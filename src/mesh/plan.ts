import { MeshrootError } from '../lib/errors.ts';
import type { DecideContext, Decision, Reach, Resource } from './resource.ts';

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

/** Looks at everything (reads only) and decides what each resource needs. Groups are looked at side by side. */
export async function makePlan(
  resources: readonly Resource[],
  reach: Reach,
  context: DecideContext,
): Promise<Plan> {
  const items = await Promise.all(resources.map((resource) => planOne(resource, reach, context)));
  return {
    items,
    changes: items.some(({ decision }) => decision.kind === 'add' || decision.kind === 'change'),
  };
}

/** One resource, as the world is now. */
export async function planOne(
  resource: Resource,
  reach: Reach,
  context: DecideContext,
): Promise<PlannedResource> {
  try {
    const observed = await resource.observe(reach);
    return { resource, observed, decision: resource.decide(observed, context) };
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return { resource, observed: undefined, decision: { kind: 'unseen', why: 'permission denied' } };
  }
}

const isForbidden = (error: unknown): boolean => error instanceof MeshrootError && error.status === 403;
