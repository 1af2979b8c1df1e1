import { keep, type Resource } from '../resource.ts';
import type { Mesh, MeshCluster } from '../schema.ts';

/** Not a thing but a slip of the hand: a copied cluster whose context was not changed. A plan warns of it. */
export function sharedContextsResource(mesh: Pick<Mesh, 'clusters'>): Resource<undefined> {
  const [warning] = sharedContexts(mesh);
  return {
    group: 'mesh',
    label: 'contexts',
    summary: 'each cluster is another one',
    observe: async () => undefined,
    decide: () => (warning === undefined ? keep : { kind: 'keep', warning }),
    write: async () => {},
  };
}

/** Clusters that name one API server and one istiod: that istiod could read the CA key of each of them. */
export function sharedContexts({ clusters }: Pick<Mesh, 'clusters'>): string[] {
  const byPlace = new Map<string, MeshCluster[]>();
  for (const cluster of clusters) {
    const { kubeconfig, context, istiod } = cluster;
    const place = JSON.stringify([kubeconfig, context, istiod.namespace, istiod.serviceAccount]);
    byPlace.set(place, [...(byPlace.get(place) ?? []), cluster]);
  }
  return [...byPlace.values()].flatMap(([first, second, ...more]) => {
    if (first === undefined || second === undefined) return [];
    const others = more.length === 0 ? second.name : `${second.name} and ${more.length} more`;
    const where = first.context ?? first.kubeconfig ?? 'the current context';
    return [`${others} and ${first.name} are one cluster (${where}): its istiod can read the CA key of each`];
  });
}
