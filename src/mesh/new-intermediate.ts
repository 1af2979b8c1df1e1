import { issueBundle } from '../rotation/issue-bundle.ts';
import { writeBundle } from '../rotation/kv-bundle.ts';
import { bundleKvPath, intermediateName } from './names.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';

/**
 * Makes, judges and stores a new intermediate CA for a cluster, as mesh.yaml wants it; read back before it returns.
 * @throws MeshrootError `bundle-refused`, `bundle-not-stored`
 */
export async function storeNewIntermediate(mesh: Mesh, cluster: MeshCluster, reach: Reach): Promise<void> {
  const bundle = await issueBundle({
    vault: reach.vault,
    rootMount: mesh.root.mount,
    name: intermediateName(cluster),
    keyType: cluster.intermediate.keyType,
    ttl: cluster.intermediate.ttl,
    now: reach.clock.now(),
  });
  await writeBundle(clusterVault(reach, cluster.name), bundleKvPath(cluster), bundle, cluster.kv);
}
