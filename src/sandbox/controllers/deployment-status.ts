import {
  type ApiObject,
  type Fields,
  isFields,
  listAt,
  numberAt,
  textAt,
  timestamp,
  valueAt,
} from '../api/fields.ts';
import { amount } from './rollout.ts';

const sum = (sets: readonly ApiObject[], field: string): number =>
  sets.reduce((total, set) => total + (numberAt(set, 'status', field) ?? 0), 0);

/** The status that `kubectl rollout status` and `kubectl wait` look at. */
export function deploymentStatus(
  deployment: ApiObject,
  newest: ApiObject | undefined,
  sets: readonly ApiObject[],
  now: number,
  observedGeneration: number,
): Fields {
  const desired = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const available = sum(sets, 'availableReplicas');
  const replicas = sum(sets, 'replicas');
  const updatedReplicas = newest === undefined ? 0 : sum([newest], 'replicas');
  const maxUnavailable = valueAt(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable');
  const enough = available >= desired - amount(maxUnavailable ?? 0, desired, Math.floor);
  const complete = updatedReplicas === desired && replicas === desired && available === desired;
  const unavailableReplicas = Math.max(0, Math.max(desired, replicas) - available);
  return {
    observedGeneration,
    replicas,
    updatedReplicas,
    readyReplicas: sum(sets, 'readyReplicas'),
    availableReplicas: available,
    ...(unavailableReplicas > 0 ? { unavailableReplicas } : {}),
    conditions: [
      condition(deployment, now, 'Available', enough, enough ? minimum : notMinimum),
      condition(deployment, now, 'Progressing', true, progress(newest, complete)),
      ...sets.flatMap((set) => listAt(set, 'status', 'conditions').filter(isFields)),
    ],
  };
}

type Why = readonly [reason: string, message: string];

const minimum: Why = ['MinimumReplicasAvailable', 'Deployment has minimum availability.'];
const notMinimum: Why = ['MinimumReplicasUnavailable', 'Deployment does not have minimum availability.'];

function progress(newest: ApiObject | undefined, complete: boolean): Why {
  const name = newest?.metadata.name ?? '';
  return complete
    ? ['NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`]
    : ['ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`];
}

function condition(deployment: ApiObject, now: number, type: string, holds: boolean, why: Why): Fields {
  const status = holds ? 'True' : 'False';
  const known = listAt(deployment, 'status', 'conditions').find((c) => textAt(c, 'type') === type);
  const same = (field: string, value: string): boolean => textAt(known, field) === value;
  const at = timestamp(now);
  const since = same('status', status) ? textAt(known, 'lastTransitionTime') || at : at;
  const updated = since !== at && same('reason', why[0]) ? textAt(known, 'lastUpdateTime') || at : at;
  return {
    type,
    status,
    lastUpdateTime: updated,
    lastTransitionTime: since,
    reason: why[0],
    message: why[1],
  };
}
