/** A Deployment on its way from old ReplicaSets to its newest one. */
export interface Rollout {
  readonly desired: number;
  readonly recreate: boolean;
  /** A number or `25%`. */
  readonly maxSurge: unknown;
  readonly maxUnavailable: unknown;
  readonly newest: { readonly replicas: number; readonly available: number };
  /** `replicas` as wanted, `running` as counted. */
  readonly old: readonly { readonly replicas: number; readonly running: number }[];
}

export interface RolloutStep {
  readonly newest: number;
  readonly old: readonly number[];
}

/**
 * How many replicas each ReplicaSet should have next (k8s.io/kubernetes/pkg/controller/deployment/rolling.go): never
 * more than `desired + maxSurge` in all, never fewer than `desired - maxUnavailable` available.
 */
export function rolloutStep(rollout: Rollout): RolloutStep {
  const { desired, newest, old } = rollout;
  const oldTotal = old.reduce((sum, set) => sum + set.replicas, 0);
  if (rollout.recreate) {
    const stopped = old.every((set) => set.replicas === 0 && set.running === 0);
    return { newest: stopped ? desired : newest.replicas, old: old.map(() => 0) };
  }
  const surge = amount(rollout.maxSurge, desired, Math.ceil);
  const unavailable = amount(rollout.maxUnavailable, desired, Math.floor) || (surge === 0 ? 1 : 0);
  const room = Math.max(0, desired + surge - oldTotal - newest.replicas);
  const next = newest.replicas > desired ? desired : Math.min(desired, newest.replicas + room);
  const newUnavailable = Math.max(0, next - newest.available);
  let spare = Math.max(0, next + oldTotal - (desired - unavailable) - newUnavailable);
  const remaining = old.map((set) => {
    const removed = Math.min(set.replicas, spare);
    spare -= removed;
    return set.replicas - removed;
  });
  return { newest: next, old: remaining };
}

/** `2` or `25%` of `desired`; a missing value is the default 25 %. */
export function amount(value: unknown, desired: number, round: (n: number) => number): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(typeof value === 'string' ? value : '25%')?.[1];
  return round((desired * Number(percent ?? 0)) / 100);
}
