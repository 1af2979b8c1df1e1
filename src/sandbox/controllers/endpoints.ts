import { jsonEqual } from '../../lib/json-equal.ts';
import { type ApiObject, type Fields, fieldsAt, isFields, listAt, numberAt, textAt } from '../api/fields.ts';
import { kindOfResource } from '../api/kinds.ts';
import { type Cluster, type Controller, keyOf, splitKey } from './controller.ts';

/** Keeps the Endpoints of each Service with a selector: the addresses of its ready pods. */
export const endpoints: Controller = {
  name: 'endpoints-controller',
  watches: {
    services: (service) => [keyOf(service)],
    pods: (pod) => [`${pod.metadata.namespace}/*`],
  },
  async reconcile(key, cluster) {
    const { namespace, name } = splitKey(key);
    const services =
      name === '*'
        ? cluster.store.list('services', namespace)
        : [cluster.store.get('services', namespace, name)];
    for (const service of services) if (service !== undefined) await publish(cluster, service);
    const orphaned =
      services[0] === undefined && name !== '*' ? cluster.store.get('endpoints', namespace, name) : undefined;
    if (orphaned !== undefined) await cluster.api.delete(kindOfResource('endpoints'), orphaned);
  },
};

async function publish(cluster: Cluster, service: ApiObject): Promise<void> {
  const selector = Object.entries(fieldsAt(service, 'spec', 'selector'));
  if (selector.length === 0 || service.metadata.deletionTimestamp !== undefined) return;
  const { namespace = '', name = '', labels } = service.metadata;
  const pods = cluster.store
    .list('pods', namespace)
    .filter(
      (pod) =>
        selector.every(([key, value]) => pod.metadata.labels?.[key] === value) &&
        textAt(pod, 'status', 'podIP') !== '',
    )
    .filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const subsets = listAt(service, 'spec', 'ports')
    .filter(isFields)
    .flatMap((port) => subsetsOf(port, pods));
  const current = cluster.store.get('endpoints', namespace, name);
  const kind = kindOfResource('endpoints');
  if (current === undefined) {
    const metadata = { name, namespace, ...(labels === undefined ? {} : { labels }) };
    await cluster.api.ensure({ apiVersion: 'v1', kind: 'Endpoints', metadata, subsets });
  } else if (!jsonEqual(current.subsets ?? [], subsets)) {
    await cluster.api.mergePatch(kind, current, { subsets });
  }
}

/** One subset per port number that the pods give it; a named target port may differ from pod to pod. */
function subsetsOf(port: Fields, pods: readonly ApiObject[]): Fields[] {
  const byNumber = new Map<number, ApiObject[]>();
  for (const pod of pods) {
    const number = targetPort(port, pod);
    if (number !== undefined) byNumber.set(number, [...(byNumber.get(number) ?? []), pod]);
  }
  return [...byNumber].map(([number, members]) => {
    const ready = members.filter(isReady).map(addressOf);
    const waiting = members.filter((pod) => !isReady(pod)).map(addressOf);
    return {
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(waiting.length > 0 ? { notReadyAddresses: waiting } : {}),
      ports: [
        {
          ...(port.name === undefined ? {} : { name: port.name }),
          port: number,
          protocol: textAt(port, 'protocol'),
        },
      ],
    };
  });
}

function targetPort(port: Fields, pod: ApiObject): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const ports = listAt(pod, 'spec', 'containers').flatMap((c) => listAt(c, 'ports'));
  return numberAt(
    ports.find((p) => textAt(p, 'name') === target),
    'containerPort',
  );
}

const isReady = (pod: ApiObject): boolean =>
  listAt(pod, 'status', 'conditions').some(
    (c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'True',
  );

function addressOf(pod: ApiObject): Fields {
  const { name, namespace, uid } = pod.metadata;
  return {
    ip: textAt(pod, 'status', 'podIP'),
    nodeName: textAt(pod, 'spec', 'nodeName'),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}
