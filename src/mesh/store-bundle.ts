import type { IstioBundle } from '../istio/bundle.ts';
import { writeBundle } from '../rotation/kv-bundle.ts';
import { bundleKvPath } from './names.ts';
import { writeRecord } from './public-record.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';

/** Stores a bundle that meshroot made, then its public record. @throws MeshrootError `bundle-not-stored` */
export async function storeBundle(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
  bundle: IstioBundle,
): Promise<void> {
  await writeBundle(clusterVault(reach, cluster.name), bundleKvPath(cluster), bundle, cluster.kv);
  await writeRecord(mesh, cluster, reach, bundle, true);
}
