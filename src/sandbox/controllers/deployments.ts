import { createHash } from 'node:crypto';
import { jsonEqual } from '../../lib/json-equal.ts';
import { type ApiObject, type Fields, fieldsAt, numberAt, textAt, valueAt } from '../api/fields.ts';
import { kindOfResource } from '../api/kinds.ts';
import { type Cluster, type Controller, keyOf, ownerKeys, splitKey } from './controller.ts';
import { deploymentStatus } from './deployment-status.ts';
import { recordEvent } from './record-event.ts';
import { type Rollout, rolloutStep } from './rollout.ts';

const component = 'deployment-controller';
const deployment = kindOfResource('deployments.apps');
const replicaSet = kindOfResource('replicasets.apps');
const revisionAnnotation = 'deployment.kubernetes.io/revision';
const hashLabel = 'pod-template-hash';

/** Keeps one ReplicaSet per pod template of a Deployment, and moves replicas from the old ones to the newest. */
export const deployments: Controller = {
  name: component,
  watches: {
    'deployments.apps': (object) => [keyOf(object)],
    'replicasets.apps': ownerKeys('Deployment'),
  },
  async reconcile(key, cluster) {
    const { namespace, name } = splitKey(key);
    const object = cluster.store.get('deployments.apps', namespace, name);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const hash = templateHash(valueAt(object, 'spec', 'template'));
    const newest = setsOf(cluster, object).find((set) => set.metadata.labels?.[hashLabel] === hash);
    if (valueAt(object, 'spec', 'paused') !== true || newest !== undefined) {
      await rollOut(cluster, object, newest ?? (await createSet(cluster, object, hash)));
    }
    await writeStatus(cluster, object, hash);
  },
};

/** Stable for equal templates; letters and digits as Kubernetes' own hashes have them. */
export function templateHash(template: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(template)).digest();
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return [...digest.subarray(0, 10)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

const setsOf = (cluster: Cluster, object: ApiObject): ApiObject[] =>
  cluster.store
    .list('replicasets.apps', object.metadata.namespace ?? '')
    .filter((set) => set.metadata.ownerReferences?.some((o) => o.uid === object.metadata.uid));

async function createSet(cluster: Cluster, object: ApiObject, hash: string): Promise<ApiObject> {
  const { name = '', namespace = '', uid = '' } = object.metadata;
  const template = fieldsAt(object, 'spec', 'template');
  const labels = { ...fieldsAt(template, 'metadata', 'labels'), [hashLabel]: hash } as Record<string, string>;
  const selector = fieldsAt(object, 'spec', 'selector');
  const revision = nextRevision(cluster, object);
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const created = await cluster.api.create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { [revisionAnnotation]: revision },
      ownerReferences: [owner],
    },
    spec: {
      replicas: 0,
      selector: { ...selector, matchLabels: { ...fieldsAt(selector, 'matchLabels'), [hashLabel]: hash } },
      template: { ...template, metadata: { ...fieldsAt(template, 'metadata'), labels } },
    },
  });
  await cluster.api.mergePatch(deployment, object, {
    metadata: { annotations: { [revisionAnnotation]: revision } },
  });
  return created;
}

function nextRevision(cluster: Cluster, object: ApiObject): string {
  const known = setsOf(cluster, object).map((set) =>
    Number(set.metadata.annotations?.[revisionAnnotation] ?? 0),
  );
  return String(Math.max(0, ...known) + 1);
}

const replicasOf = (set: ApiObject): number => numberAt(set, 'spec', 'replicas') ?? 0;
const availableOf = (set: ApiObject): number => numberAt(set, 'status', 'availableReplicas') ?? 0;

async function rollOut(cluster: Cluster, object: ApiObject, newest: ApiObject): Promise<void> {
  const old = setsOf(cluster, object).filter((set) => set.metadata.uid !== newest.metadata.uid);
  const rollout: Rollout = {
    desired: numberAt(object, 'spec', 'replicas') ?? 1,
    recreate: textAt(object, 'spec', 'strategy', 'type') === 'Recreate',
    maxSurge: valueAt(object, 'spec', 'strategy', 'rollingUpdate', 'maxSurge'),
    maxUnavailable: valueAt(object, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'),
    newest: { replicas: replicasOf(newest), available: availableOf(newest) },
    old: old.map((set) => ({ replicas: replicasOf(set), running: numberAt(set, 'status', 'replicas') ?? 0 })),
  };
  const step = rolloutStep(rollout);
  await scale(cluster, object, newest, step.newest);
  for (const [i, set] of old.entries()) await scale(cluster, object, set, step.old[i] ?? 0);
}

async function scale(cluster: Cluster, object: ApiObject, set: ApiObject, replicas: number): Promise<void> {
  const before = replicasOf(set);
  if (before === replicas) return;
  await cluster.api.mergePatch(replicaSet, set, { spec: { replicas } });
  const direction = replicas > before ? 'up' : 'down';
  const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`;
  await recordEvent(cluster, object, { type: 'Normal', reason: 'ScalingReplicaSet', message, component });
}

async function writeStatus(cluster: Cluster, object: ApiObject, hash: string): Promise<void> {
  const { namespace = '', name = '' } = object.metadata;
  const now = cluster.store.get('deployments.apps', namespace, name);
  if (now === undefined) return;
  const sets = setsOf(cluster, now);
  const newest = sets.find((set) => set.metadata.labels?.[hashLabel] === hash);
  const status: Fields = deploymentStatus(
    now,
    newest,
    sets,
    cluster.clock.now(),
    object.metadata.generation ?? 1,
  );
  if (!jsonEqual(now.status, status)) await cluster.api.mergePatch(deployment, now, { status }, 'status');
}
