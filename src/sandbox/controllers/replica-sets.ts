import { messageOf } from '../../lib/errors.ts';
import { jsonEqual } from '../../lib/json-equal.ts';
import { type ApiObject, type Fields, fieldsAt, listAt, numberAt, textAt, timestamp } from '../api/fields.ts';
import { kindOfResource } from '../api/kinds.ts';
import { type Cluster, type Controller, keyOf, ownerKeys, splitKey } from './controller.ts';
import { recordEvent } from './record-event.ts';

const component = 'replicaset-controller';
const kind = kindOfResource('replicasets.apps');
const pods = kindOfResource('pods');

/** Keeps as many pods of a ReplicaSet as it wants. */
export const replicaSets: Controller = {
  name: component,
  watches: {
    'replicasets.apps': (set) => [keyOf(set)],
    pods: ownerKeys('ReplicaSet'),
  },
  async reconcile(key, cluster) {
    const { namespace, name } = splitKey(key);
    const set = cluster.store.get('replicasets.apps', namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    let failure: string | undefined;
    try {
      await resize(cluster, set);
    } catch (error) {
      failure = messageOf(error);
    }
    await writeStatus(cluster, set, failure);
    if (failure !== undefined) throw new Error(failure); // again later: a webhook may come up
  },
};

/** Pods of the set that run or will run. */
function podsOf(cluster: Cluster, set: ApiObject): ApiObject[] {
  return cluster.store.list('pods', set.metadata.namespace ?? '').filter((pod) => {
    const owned = pod.metadata.ownerReferences?.some(
      (o) => o.uid === set.metadata.uid && o.controller === true,
    );
    const ended = ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'));
    return owned === true && !ended && pod.metadata.deletionTimestamp === undefined;
  });
}

async function resize(cluster: Cluster, set: ApiObject): Promise<void> {
  const current = podsOf(cluster, set);
  const wanted = numberAt(set, 'spec', 'replicas') ?? 1;
  for (let i = current.length; i < wanted; i++) await createPod(cluster, set);
  // the ones that are of least use first: not ready, then youngest
  const rank = (pod: ApiObject): string => `${isReady(pod) ? 1 : 0}`;
  const order = [...current].sort(
    (a, b) =>
      rank(a).localeCompare(rank(b)) ||
      (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''),
  );
  for (const pod of order.slice(0, Math.max(0, current.length - wanted))) {
    await cluster.api.delete(pods, pod);
    const message = `Deleted pod: ${pod.metadata.name}`;
    await recordEvent(cluster, set, { type: 'Normal', reason: 'SuccessfulDelete', message, component });
  }
}

async function createPod(cluster: Cluster, set: ApiObject): Promise<void> {
  const { name = '', namespace = '', uid = '' } = set.metadata;
  const template = fieldsAt(set, 'spec', 'template');
  const { labels, annotations } = fieldsAt(template, 'metadata');
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const metadata: ApiObject['metadata'] = { generateName: `${name}-`, namespace, ownerReferences: [owner] };
  if (labels !== undefined) metadata.labels = labels as Record<string, string>; // as validated in the template
  if (annotations !== undefined) metadata.annotations = annotations as Record<string, string>;
  try {
    const pod = await cluster.api.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec });
    const message = `Created pod: ${pod.metadata.name}`;
    await recordEvent(cluster, set, { type: 'Normal', reason: 'SuccessfulCreate', message, component });
  } catch (error) {
    const message = `Error creating: ${messageOf(error)}`;
    await recordEvent(cluster, set, { type: 'Warning', reason: 'FailedCreate', message, component });
    throw error;
  }
}

const isReady = (pod: ApiObject): boolean =>
  listAt(pod, 'status', 'conditions').some(
    (c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'True',
  );

async function writeStatus(cluster: Cluster, set: ApiObject, failure: string | undefined): Promise<void> {
  const current = podsOf(cluster, set);
  const ready = current.filter(isReady).length;
  const status: Fields = {
    replicas: current.length,
    fullyLabeledReplicas: current.length,
    readyReplicas: ready,
    availableReplicas: ready,
    observedGeneration: set.metadata.generation ?? 1,
    conditions: failure === undefined ? [] : [failed(cluster, set, failure)],
  };
  const now = cluster.store.get('replicasets.apps', set.metadata.namespace ?? '', set.metadata.name ?? '');
  if (now === undefined || jsonEqual(now.status, status)) return;
  await cluster.api.mergePatch(kind, now, { status }, 'status');
}

function failed(cluster: Cluster, set: ApiObject, message: string): Fields {
  const known = listAt(set, 'status', 'conditions').find((c) => textAt(c, 'type') === 'ReplicaFailure');
  const since = textAt(known, 'lastTransitionTime') || timestamp(cluster.clock.now());
  return {
    type: 'ReplicaFailure',
    status: 'True',
    reason: 'FailedCreate',
    message,
    lastTransitionTime: since,
  };
}
