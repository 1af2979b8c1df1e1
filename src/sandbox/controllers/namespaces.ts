import { textAt } from '../api/fields.ts';
import { kindOfResource, kinds, resourceOf } from '../api/kinds.ts';
import { type Cluster, type Controller, splitKey } from './controller.ts';

/** Empties a namespace that is being deleted, and lets it go when nothing is left in it. */
export const namespaces: Controller = {
  name: 'namespace-controller',
  watches: {
    namespaces: (namespace) => [`/${namespace.metadata.name}`],
    '*': (object, change) =>
      change?.type === 'DELETED' && object.metadata.namespace !== undefined
        ? [`/${object.metadata.namespace}`]
        : [],
  },
  async reconcile(key, cluster) {
    const { name } = splitKey(key);
    const namespace = cluster.store.get('namespaces', '', name);
    if (namespace === undefined || textAt(namespace, 'status', 'phase') !== 'Terminating') return;
    if (await empty(cluster, name)) {
      const spec = { finalizers: [] };
      const kind = kindOfResource('namespaces');
      await cluster.api.mergePatch(kind, namespace, { spec }, 'finalize');
    }
  },
};

/** Whether nothing is left after all that can go at once has gone. */
async function empty(cluster: Cluster, namespace: string): Promise<boolean> {
  let left = 0;
  for (const kind of kinds.filter((k) => k.namespaced && !k.transient)) {
    for (const object of cluster.store.list(resourceOf(kind), namespace)) {
      if (object.metadata.deletionTimestamp === undefined) await cluster.api.delete(kind, object);
    }
    left += cluster.store.list(resourceOf(kind), namespace).length;
  }
  return left === 0;
}
