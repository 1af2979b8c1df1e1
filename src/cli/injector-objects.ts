import { injectorManifests } from '../injector/manifests.ts';
import { parsePolicy } from '../injector/policy-file.ts';
import type { KubeObject } from '../kube/api.ts';
import { clusterNames } from '../mesh/names.ts';
import type { Mesh, MeshCluster } from '../mesh/schema.ts';
import { podAddress } from '../mesh/vault-place.ts';

/**
 * What registers (and runs) the injector on a cluster of the mesh; nothing where mesh.yaml does not ask for one.
 * @throws MeshrootError `bad-policy`
 */
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
    ...(injector.failClosed === undefined ? {} : { failClosed: injector.failClosed }),
    ...(injector.events === undefined ? {} : { events: injector.events }),
    ...(injector.policy === undefined ? {} : { policy: policyText(injector.policy) }),
    ...(injector.listen === undefined ? {} : listenAt(injector.listen)),
  });
}

/** Only there, and the Service and the probes at its port. */
function listenAt(address: string): { port: number; env: Record<string, string> } {
  return { port: Number(address.slice(address.lastIndexOf(':') + 1)), env: { AGENT_INJECT_LISTEN: address } };
}

/** Read as the injector will read it, so that a mistake shows here and not in a log of the cluster. */
function policyText(policy: object): string {
  const text = `${JSON.stringify(policy, null, 2)}\n`; // JSON is YAML
  parsePolicy(text);
  return text;
}
