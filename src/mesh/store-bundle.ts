import type { IstioBundle } from '../istio/bundle.ts';
import { MeshrootError } from '../lib/errors.ts';
import { readBundle, writeBundle } from '../rotation/kv-bundle.ts';
import { bundleKvPath } from './names.ts';
import { bundleVersion, writeRecord } from './public-record.ts';
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

/**
 * Stores the CA that a cluster had before as its first bundle, byte for byte, and records that meshroot did not make it. With KV
 * version 2 by check-and-set; version 1 has none, there it is looked at once more right before.
 * @throws MeshrootError `bundle-exists`, `bundle-not-stored`, and Vault's refusal of the check-and-set
 */
export async function storeImported(
  mesh: Mesh,
  cluster: MeshCluster,
  reach: Reach,
  bundle: IstioBundle,
): Promise<void> {
  const vault = clusterVault(reach, cluster.name);
  const path = bundleKvPath(cluster);
  const version = Number((await bundleVersion(cluster, reach)) ?? 0);
  if ((await readBundle(vault, path)) !== undefined) {
    throw new MeshrootError('bundle-exists', `${path} has a bundle by now, and is not overwritten`, {
      hint: 'somebody else was faster; look at it with: meshroot plan',
      exit: 1,
    });
  }
  await writeBundle(vault, path, bundle, cluster.kv, version);
  await writeRecord(mesh, cluster, reach, bundle, false);
}
