import { injectorManifests } from '../injector/manifests.ts';
import type { KubeObject } from '../kube/api.ts';
import { clusterNames } from '../mesh/names.ts';
import type { Mesh, MeshCluster } from '../mesh/schema.ts';
import { podAddress } from '../mesh/vault-place.ts';

/** What registers (and runs) the injector on a cluster of the mesh; nothing where mesh.yaml does not ask for one. */
export function injectorObjects(mesh: Mesh, cluster: MeshCluster): KubeObject[] {
  const { injector, name } = cluster;
  if (injector === undefined) return [];
  return injectorManifests({
    vaultAddress: podAddress(mesh, cluster),
    namespace: injector.namespace,
    image: injector.image,
    agentImage: injector.agentImage,
    authPath: `auth/${clusterNames(cluster).authMount}`,
    cluster: name,
    ...(injector.url === undefined ? {} : { url: injector.url }),
    ...(injector.listen === undefined ? {} : listenAt(injector.listen)),
  });
}

/** Only there, and the Service and the probes at its port. */
function listenAt(address: string): { port: number; env: Record<string, string> } {
  return { port: Number(address.slice(address.lastIndexOf(':') + 1)), env: { AGENT_INJECT_LISTEN: address } };
}
