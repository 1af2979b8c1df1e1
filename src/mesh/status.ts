import { presentedChain } from '../istio/presented-chain.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { isKeyless } from './keyless.ts';
import { rootOf } from './kinds/root.ts';
import { bundleKvPath, clusterNames } from './names.ts';
import { defaultConcurrency } from './plan.ts';
import { inPool } from './pool.ts';
import type { Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';
import { seeBundle } from './see-bundle.ts';
import { vaultPlace } from './vault-place.ts';

export interface MeshStatus {
  readonly root: Certificate | undefined;
  /** Where the root's key is. */
  readonly rootKey: string;
  readonly clusters: readonly ClusterStatus[];
}

export interface ClusterStatus {
  readonly name: string;
  /** Address of its Vault, and where in it the bundle is. */
  readonly place: string;
  readonly intermediate: Certificate | undefined;
  /** What istiod presents at this moment: its own certificate, then the intermediate; unknown without an address. */
  readonly presented: readonly Certificate[] | undefined;
  /** Who may log in, for what. */
  readonly readers: readonly string[];
  /** Why something is not known or not there. */
  readonly problems: readonly string[];
  /** Something could not be looked at, as opposed to not being there. */
  readonly unseen: boolean;
}

/** The chain of trust of a living mesh, as far as the caller may see it. Reads only, and no key where that can be helped. */
export async function meshStatus(mesh: Mesh, reach: Reach): Promise<MeshStatus> {
  const root = await rootOf(mesh, reach);
  const results = await inPool(mesh.clusters, defaultConcurrency, (cluster) =>
    clusterStatus(mesh, cluster, reach),
  );
  const clusters = results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  const { offline, mount } = mesh.root;
  return {
    root,
    rootKey: offline === undefined ? `vault ${mount}, not exportable` : 'on a machine without a network',
    clusters,
  };
}

async function clusterStatus(mesh: Mesh, cluster: MeshCluster, reach: Reach): Promise<ClusterStatus> {
  const problems: string[] = [];
  let unseen = false;
  const orTell = async <T>(look: Promise<T>): Promise<T | undefined> => {
    try {
      return await look;
    } catch (error) {
      problems.push(messageOf(error));
      unseen = true;
      if (error instanceof MeshrootError) return undefined;
      throw error;
    }
  };
  const seen = await orTell(seeBundle(cluster, reach));
  const intermediate = seen?.bundle && parseCertificate(seen.bundle.caCert);
  if (seen !== undefined && intermediate === undefined) problems.push('has no intermediate yet');
  const { address, namespace } = cluster.istiod;
  const presented =
    address === undefined || seen?.bundle === undefined
      ? undefined
      : await orTell(
          presentedChain({
            address,
            serverName: `istiod.${namespace}.svc`,
            rootPem: seen.bundle.rootCert,
          }).catch((error: unknown) => {
            throw new MeshrootError('istiod-not-seen', `istiod at ${address}: ${messageOf(error)}`);
          }),
        );
  const place = `${vaultPlace(mesh, cluster).address} ${isKeyless(cluster) ? clusterNames(cluster).pkiMount : bundleKvPath(cluster)}`;
  const readers = readersOf(cluster);
  return { name: cluster.name, place, intermediate, presented, readers, problems, unseen };
}

function readersOf(cluster: MeshCluster): string[] {
  const { role } = clusterNames(cluster);
  const { serviceAccount, namespace } = cluster.istiod;
  return [
    `${role}: ${serviceAccount}@${namespace} ${isKeyless(cluster) ? 'signs by its CA' : 'reads its bundle'}`,
    ...cluster.gateways.map(
      (g) => `gateway-${g.name}: ${g.serviceAccount}@${g.namespace} reads its certificate`,
    ),
    ...cluster.access.map(
      (a) => `${a.name}: ${a.serviceAccount}@${[a.namespace].flat().join(',')} may ${a.can}`,
    ),
  ];
}
