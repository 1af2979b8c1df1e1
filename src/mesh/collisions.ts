import { isKeyless } from './keyless.ts';
import { accessPolicyName } from './kinds/access.ts';
import { bundleKvPath, clusterNames } from './names.ts';
import type { Mesh, MeshCluster } from './schema.ts';
import { vaultPlace } from './vault-place.ts';

export interface Collision {
  /** Index of the later cluster. */
  readonly cluster: number;
  readonly message: string;
}

/** Clusters that would write to one place of one Vault: each would undo what the other did, or read the other's key. */
export function collisions(mesh: Pick<Mesh, 'vault' | 'clusters'>): Collision[] {
  const taken = new Map<string, string>();
  return mesh.clusters.flatMap((cluster, i) =>
    placesOf(cluster).flatMap((place) => {
      const { address, namespace = '' } = vaultPlace(mesh, cluster);
      const key = JSON.stringify([address.replace(/\/+$/, ''), namespace, place]);
      const first = taken.get(key);
      if (first === undefined) taken.set(key, cluster.name);
      return first === undefined || first === cluster.name
        ? []
        : [{ cluster: i, message: `${cluster.name} has ${place}, which is ${first}'s in the same vault` }];
    }),
  );
}

function placesOf(cluster: MeshCluster): string[] {
  const { authMount, policy, pkiMount } = clusterNames(cluster);
  const policies = [policy, ...cluster.access.map(({ name }) => accessPolicyName(cluster, name))];
  const authority = isKeyless(cluster) ? `pki ${pkiMount}` : bundleKvPath(cluster);
  return [`auth/${authMount}`, authority, ...policies.map((name) => `policy ${name}`)];
}
