import type { VaultClient } from '../client/vault-client.ts';
import { MeshrootError } from '../lib/errors.ts';
import { type ClusterFailure, settleClusters, throwFailures } from './each-cluster.ts';
import { apiServerOf } from './kinds/auth-config.ts';
import { madeByMeshroot } from './ownership.ts';
import { persist } from './persist.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { MeshCluster } from './schema.ts';

/** A JWT login for a moment; nobody can log in by it, for it has no roles. */
export const probeMount = 'meshroot-probe';

/**
 * Lets each Vault fetch `/version` of the API servers, before anything else is written. A refused Kubernetes login says
 * "permission denied" whatever the cause; the configuration of a JWT login, however, is refused when Vault cannot fetch
 * the URL that it is given, with the authority that it is given. So one is mounted, asked for every cluster, and removed.
 * @returns why it could not be asked, when this token may not mount it
 * @throws MeshrootError `kubernetes-not-reached`, which names the address; of several clusters `clusters-failed`
 * @see https://developer.hashicorp.com/vault/api-docs/auth/jwt#configure (the URL is checked when it is written)
 */
export async function probeKubernetes(
  clusters: readonly MeshCluster[],
  reach: Reach,
): Promise<string | undefined> {
  const { unproven, failures } = await probeClusters(clusters, reach);
  throwFailures(failures, clusters.length);
  return unproven;
}

/** As probeKubernetes, but tells the clusters that are not reached instead of throwing. */
export async function probeClusters(
  clusters: readonly MeshCluster[],
  reach: Reach,
  options: { readonly concurrency?: number; readonly signal?: AbortSignal } = {},
): Promise<{ readonly unproven: string | undefined; readonly failures: readonly ClusterFailure[] }> {
  const failures: ClusterFailure[] = [];
  const byVault = new Map<VaultClient, MeshCluster[]>();
  for (const cluster of clusters) {
    const vault = clusterVault(reach, cluster.name);
    byVault.set(vault, [...(byVault.get(vault) ?? []), cluster]);
  }
  for (const [vault, members] of byVault) {
    if (!(await mountProbe(vault)))
      return { unproven: `this token may not mount auth/${probeMount}`, failures };
    try {
      const byName = new Map(members.map((cluster) => [cluster.name, cluster]));
      const failed = await settleClusters([...byName.keys()], options, async (name) => {
        const cluster = byName.get(name);
        const ask = async () => cluster !== undefined && (await probeOne(vault, cluster, reach));
        await persist(reach.clock, ask, ['kubernetes-not-reached']); // one cut connection is no reason to turn an apply away
      });
      failures.push(...failed);
    } finally {
      await vault.delete(`sys/auth/${probeMount}`);
    }
  }
  return { unproven: undefined, failures };
}

/** One that a killed apply left is removed first: the lock of apply says that nobody else uses it. */
async function mountProbe(vault: VaultClient): Promise<boolean> {
  try {
    await vault.delete(`sys/auth/${probeMount}`);
    const description = `looks whether vault reaches the api servers, ${madeByMeshroot}`;
    await vault.write(`sys/auth/${probeMount}`, { type: 'jwt', description });
    return true;
  } catch (error) {
    if (error instanceof MeshrootError && error.status === 403) return false;
    throw error;
  }
}

async function probeOne(vault: VaultClient, cluster: MeshCluster, reach: Reach): Promise<void> {
  const kube = await reach.kube(cluster.name);
  const host = apiServerOf(cluster, kube).replace(/\/+$/, '');
  const authority = await kube.authority();
  try {
    await vault.write(`auth/${probeMount}/config`, {
      jwks_url: `${host}/version`,
      ...(authority !== undefined && { jwks_ca_pem: authority }),
    });
  } catch (error) {
    if (!(error instanceof MeshrootError) || error.status !== 400) throw error;
    throw new MeshrootError(
      'kubernetes-not-reached',
      `${cluster.name}: vault tried ${host}/version and got no answer that it trusts; a login would be refused`,
      {
        hint: 'set kubernetesHost in mesh.yaml to the address under which vault reaches the API server; where that one answers nobody unknown, probeKubernetes: false',
        exit: 1,
        cause: error,
      },
    );
  }
}
