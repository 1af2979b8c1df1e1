import type { KubeApi } from '../kube/api.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { RotationState, Step } from '../rotation/decide.ts';
import { RotationJournal } from '../rotation/journal.ts';
import { readBundle } from '../rotation/kv-bundle.ts';
import { observeRotation, type RotationPlace } from '../rotation/observe.ts';
import { runRotation } from '../rotation/run.ts';
import { isKeyless, seeKeyless } from './keyless.ts';
import { bundleKvPath } from './names.ts';
import { storeNewIntermediate } from './new-intermediate.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';

export interface RotateOptions {
  readonly signal: AbortSignal;
  /** Forget an unfinished rotation and begin a new one. */
  readonly restart: boolean;
  report(step: Step, state: RotationState | undefined): void;
}

/**
 * Gives one cluster a new intermediate CA under the same root: stored, delivered as one set, served, and confirmed by a
 * fresh workload certificate. Trust does not change, so nothing has to wait and nothing is cut off.
 * @throws MeshrootError `unknown-cluster`, `no-istiod-address`, those of runRotation
 */
export async function rotateIntermediate(
  mesh: Mesh,
  name: string,
  reach: Reach,
  options: RotateOptions,
): Promise<RotationState> {
  const cluster = clusterOf(mesh, name);
  const { vault, clock } = reach;
  const place = placeOf(cluster, reach, await reach.kube(name));
  return runRotation(
    name,
    {
      clock,
      journal: new RotationJournal(vault, name),
      observe: (state) => observeRotation(place, state),
      report: options.report,
      issue: () => storeNewIntermediate(mesh, cluster, reach),
    },
    options,
  );
}

export function clusterOf(mesh: Mesh, name: string): MeshCluster {
  const cluster = mesh.clusters.find((c) => c.name === name);
  if (cluster !== undefined) return cluster;
  throw new MeshrootError('unknown-cluster', `mesh.yaml has no cluster "${name}"`, {
    hint: `it has: ${mesh.clusters.map((c) => c.name).join(', ')}`,
  });
}

function placeOf(cluster: MeshCluster, reach: Reach, kube: KubeApi): RotationPlace {
  const { namespace, serviceAccount, address } = cluster.istiod;
  if (address === undefined) {
    throw new MeshrootError(
      'no-istiod-address',
      `where istiod of ${cluster.name} answers is not known, so a delivery cannot be seen`,
      {
        hint: `set clusters[].istiod.address in mesh.yaml, for example after: kubectl -n ${namespace} port-forward svc/istiod 15012`,
      },
    );
  }
  const vault = clusterVault(reach, cluster.name);
  return {
    kube,
    stored: () =>
      isKeyless(cluster) ? seeKeyless(cluster, vault) : readBundle(vault, bundleKvPath(cluster)),
    cluster: cluster.name,
    istiodAddress: address,
    istiodNamespace: namespace,
    probe: { namespace, serviceAccount },
  };
}
