import { type ApiObject, fieldsAt, listAt, textAt, valueAt } from '../api/fields.ts';
import { kindOfResource } from '../api/kinds.ts';
import { pathOf } from '../api/request-info.ts';
import { type Cluster, type Controller, keyOf, splitKey } from './controller.ts';
import { recordEvent } from './record-event.ts';

const component = 'default-scheduler';
const pods = kindOfResource('pods');

/** Gives each new pod a node: the ready one with the fewest pods. Resources, taints and affinity are not looked at. */
export const scheduler: Controller = {
  name: 'scheduler',
  watches: {
    pods: (pod) => (isWaiting(pod) ? [keyOf(pod)] : []),
    nodes: () => ['*/*'],
  },
  async reconcile(key, cluster) {
    const { namespace, name } = splitKey(key);
    const waiting =
      name === '*'
        ? cluster.store.list('pods').filter(isWaiting)
        : [cluster.store.get('pods', namespace, name)].filter((pod) => pod !== undefined && isWaiting(pod));
    for (const pod of waiting) if (pod !== undefined) await schedule(cluster, pod);
  },
};

const isWaiting = (pod: ApiObject): boolean =>
  textAt(pod, 'spec', 'nodeName') === '' &&
  pod.metadata.deletionTimestamp === undefined &&
  textAt(pod, 'spec', 'schedulerName') === component;

async function schedule(cluster: Cluster, pod: ApiObject): Promise<void> {
  const { namespace = '', name = '' } = pod.metadata;
  const node = chooseNode(cluster, pod);
  if (node === undefined) {
    const total = cluster.store.list('nodes').length;
    const message = `0/${total} nodes are available.`;
    await recordEvent(cluster, pod, { type: 'Warning', reason: 'FailedScheduling', message, component });
    await setScheduled(cluster, pod, { status: 'False', reason: 'Unschedulable', message });
    return;
  }
  const target = { apiVersion: 'v1', kind: 'Node', name: node };
  await cluster.api.request('POST', pathOf(pods, namespace, name, 'binding'), { body: { target } });
  await setScheduled(cluster, pod, { status: 'True' });
  const message = `Successfully assigned ${namespace}/${name} to ${node}`;
  await recordEvent(cluster, pod, { type: 'Normal', reason: 'Scheduled', message, component });
}

function chooseNode(cluster: Cluster, pod: ApiObject): string | undefined {
  const wanted = Object.entries(fieldsAt(pod, 'spec', 'nodeSelector'));
  const fitting = cluster.store
    .list('nodes')
    .filter((node) => isReady(node) && wanted.every(([key, value]) => node.metadata.labels?.[key] === value));
  const load = (node: ApiObject): number =>
    cluster.store.list('pods').filter((p) => textAt(p, 'spec', 'nodeName') === node.metadata.name).length;
  const byLoad = fitting.map((node) => ({ name: node.metadata.name, load: load(node) }));
  return byLoad.sort((a, b) => a.load - b.load)[0]?.name;
}

const isReady = (node: ApiObject): boolean =>
  valueAt(node, 'spec', 'unschedulable') !== true &&
  listAt(node, 'status', 'conditions').some(
    (c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'True',
  );

interface Scheduled {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

/** The kubelet writes the same status: a patch by key leaves its conditions alone. */
async function setScheduled(cluster: Cluster, pod: ApiObject, condition: Scheduled): Promise<void> {
  const known = listAt(pod, 'status', 'conditions').find((c) => textAt(c, 'type') === 'PodScheduled');
  if (textAt(known, 'status') === condition.status) return;
  const { namespace = '', name = '' } = pod.metadata;
  const lastTransitionTime = new Date(cluster.clock.now()).toISOString().replace(/\.\d+/, '');
  await cluster.api.request('PATCH', pathOf(pods, namespace, name, 'status'), {
    contentType: 'application/strategic-merge-patch+json',
    body: { status: { conditions: [{ type: 'PodScheduled', lastTransitionTime, ...condition }] } },
  });
}
