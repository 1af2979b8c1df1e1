import { join } from 'node:path';
import type { Check } from './steps.ts';
import type { RunningCluster, RunningSystem } from './system.ts';

/** The object that `up --once --json` ends with; tools rely on it. */
export async function upReport(
  system: RunningSystem,
  options: { seconds: number; dir: string; checks: readonly Check[] },
): Promise<object> {
  return {
    ok: options.checks.every(({ ok }) => ok),
    seconds: Math.round(options.seconds * 10) / 10,
    dir: options.dir,
    vault: { address: system.store.address, tokenFile: system.store.tokenFile },
    clusters: await Promise.all(system.clusters.map(clusterReport)),
    metrics: system.metricsUrl,
    checks: options.checks,
  };
}

async function clusterReport(cluster: RunningCluster): Promise<object> {
  const { namespace } = cluster.wanted.istiod;
  const bundleDir = await cluster.hostPath({
    namespace,
    app: 'istiod',
    container: 'discovery',
    mountPath: '/vault/secrets',
  });
  return {
    name: cluster.name,
    kubeconfig: cluster.kubeconfig,
    istiod: { ca: cluster.istiodAddress, bundleDir },
    workloads: cluster.workloads.map(({ spiffeId, folder }) => ({
      spiffeId,
      certFile: join(folder, 'cert-chain.pem'),
      keyFile: join(folder, 'key.pem'),
      rootFile: join(folder, 'root-cert.pem'),
    })),
  };
}
