import type { KubeApi, KubeObject } from '../../kube/api.ts';

/** Kinds that people put into namespaces by hand or by chart. */
const kinds = [
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['v1', 'Secret'],
  ['v1', 'ConfigMap'],
  ['v1', 'ServiceAccount'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
] as const;

/** Every namespace has these by itself, or istiod puts them there. */
const everywhere: ReadonlySet<string> = new Set([
  'ServiceAccount default',
  'ConfigMap kube-root-ca.crt',
  'ConfigMap istio-ca-root-cert',
  'ConfigMap istio-leader',
]);

/** What others made in a namespace, as `Kind name`: removing the namespace would remove it, so the namespace stays. */
export async function othersIn(kube: KubeApi, namespace: string): Promise<string[]> {
  const found = await Promise.all(
    kinds.map(async ([apiVersion, kind]) =>
      (await kube.list({ apiVersion, kind }, { namespace }))
        .filter((object) => isGuest(object))
        .map(({ metadata }) => `${kind} ${metadata.name}`),
    ),
  );
  return found
    .flat()
    .filter((name) => !everywhere.has(name) && !/^ConfigMap istio-.*(leader|election)$/.test(name));
}

/** Not ours, not made by a controller for something else, not on its way out, and no controller's own lock or token. */
function isGuest({ metadata, type }: KubeObject): boolean {
  return (
    metadata.labels?.['app.kubernetes.io/managed-by'] !== 'meshroot' &&
    metadata.ownerReferences === undefined &&
    metadata.deletionTimestamp === undefined &&
    type !== 'kubernetes.io/service-account-token'
  );
}
