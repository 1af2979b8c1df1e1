import type { ApiObject, OwnerReference } from '../api/fields.ts';
import { type Kind, kindOfObject, kinds, resourceOf } from '../api/kinds.ts';
import type { Cluster, Controller } from './controller.ts';

const stored = kinds.filter((k) => !k.transient);

/** Collects what is owned by objects that have gone; the propagation policies Background, Foreground and Orphan. */
export const garbage: Controller = {
  name: 'garbage-collector',
  watches: {
    '*': (object, change) => {
      const { uid = '', ownerReferences = [], finalizers = [] } = object.metadata;
      if (change?.type === 'DELETED')
        return [`owner ${uid}`, ...ownerReferences.map((o) => `holder ${o.uid}`)];
      const leaving = object.metadata.deletionTimestamp !== undefined;
      if (leaving && finalizers.some((f) => f === foreground || f === orphan)) return [`holder ${uid}`];
      return ownerReferences.length > 0 && change?.type === 'ADDED' ? [`dependent ${uid}`] : [];
    },
  },
  async reconcile(key, cluster) {
    const [what, uid = ''] = key.split(' ');
    if (what === 'owner') await collectDependents(cluster, uid);
    else if (what === 'dependent') {
      const found = find(cluster, uid);
      if (found !== undefined) await collect(cluster, found);
    } else await release(cluster, uid);
  },
};

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

interface Found {
  readonly kind: Kind;
  readonly object: ApiObject;
}

function all(cluster: Cluster): Found[] {
  return stored.flatMap((kind) => cluster.store.list(resourceOf(kind)).map((object) => ({ kind, object })));
}

const find = (cluster: Cluster, uid: string): Found | undefined =>
  all(cluster).find(({ object }) => object.metadata.uid === uid);

const dependentsOf = (cluster: Cluster, uid: string): Found[] =>
  all(cluster).filter(({ object }) => (object.metadata.ownerReferences ?? []).some((o) => o.uid === uid));

async function collectDependents(cluster: Cluster, uid: string): Promise<void> {
  for (const dependent of dependentsOf(cluster, uid)) await collect(cluster, dependent);
}

/** Deletes an object none of whose owners is there any more. */
async function collect(cluster: Cluster, { kind, object }: Found): Promise<void> {
  const owners = object.metadata.ownerReferences ?? [];
  if (object.metadata.deletionTimestamp !== undefined || owners.length === 0) return;
  const namespace = object.metadata.namespace ?? '';
  if (owners.some((owner) => lives(cluster, owner, namespace))) return;
  await cluster.api.delete(kind, object);
}

/** An owner of a kind that is not served here counts as living: nobody can tell. */
function lives(cluster: Cluster, owner: OwnerReference, namespace: string): boolean {
  const kind = kindOfObject(owner.apiVersion, owner.kind);
  if (kind === undefined) return true;
  const found = cluster.store.get(resourceOf(kind), kind.namespaced ? namespace : '', owner.name);
  return found?.metadata.uid === owner.uid;
}

/** Foreground: the dependents first. Orphan: they are told that they have no owner. Then the owner may go. */
async function release(cluster: Cluster, uid: string): Promise<void> {
  const owner = find(cluster, uid);
  const finalizers = owner?.object.metadata.finalizers ?? [];
  if (owner === undefined || owner.object.metadata.deletionTimestamp === undefined) return;
  const dependents = dependentsOf(cluster, uid);
  if (finalizers.includes(orphan)) {
    for (const { kind, object } of dependents) await disown(cluster, kind, object, uid);
    return await dropFinalizer(cluster, owner, orphan);
  }
  if (!finalizers.includes(foreground)) return;
  for (const { kind, object } of dependents) {
    if (object.metadata.deletionTimestamp === undefined) {
      await cluster.api.delete(kind, object, { propagationPolicy: 'Foreground' });
    }
  }
  if (dependentsOf(cluster, uid).length === 0) await dropFinalizer(cluster, owner, foreground);
}

async function disown(cluster: Cluster, kind: Kind, object: ApiObject, uid: string): Promise<void> {
  const ownerReferences = (object.metadata.ownerReferences ?? []).filter((o) => o.uid !== uid);
  await cluster.api.mergePatch(kind, object, { metadata: { ownerReferences } });
}

async function dropFinalizer(cluster: Cluster, { kind, object }: Found, name: string): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((f) => f !== name);
  await cluster.api.mergePatch(kind, object, { metadata: { finalizers } });
}
