import type { KubeObject } from '../kube/api.ts';
import { clusterOf } from '../mesh/rotate-intermediate.ts';
import type { Mesh } from '../mesh/schema.ts';
import type { ClusterHost } from './cluster-host.ts';
import type { Ports } from './ports.ts';
import type { Steps } from './steps.ts';
import type { RunningCluster } from './system.ts';
import { readyPod } from './wait.ts';
import {
  type Workload,
  WorkloadControl,
  type WorkloadPorts,
  workloadAccounts,
  workloadManifests,
  workloadNamespace,
} from './workloads.ts';

/** Ports of each workload of one cluster, by its service account. */
export type PortsByAccount = ReadonlyMap<string, WorkloadPorts>;

/** Creates the demonstration's workloads; they wait by themselves until their istiod answers. */
export async function deployWorkloads(host: ClusterHost, mesh: Mesh, pool: Ports): Promise<PortsByAccount> {
  const byAccount = new Map<string, WorkloadPorts>();
  await ensure(host, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: workloadNamespace } });
  const index = mesh.clusters.findIndex(({ name }) => name === host.name);
  for (const account of workloadAccounts(index)) {
    const ports = { serve: await pool.take(), control: await pool.take() };
    byAccount.set(account, ports);
    const { trustDomain } = mesh;
    const istiodAddress = `127.0.0.1:${host.ports.istiod}`;
    const manifests = workloadManifests({ account, cluster: host.name, trustDomain, istiodAddress, ports });
    for (const object of manifests) await ensure(host, object);
  }
  return byAccount;
}

async function ensure({ kube }: ClusterHost, object: KubeObject): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  if (
    (await kube.get({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace })) === undefined
  ) {
    await kube.create(object);
  }
}

/** Waits until istiod and every workload of the cluster are ready. */
export async function meshCluster(
  host: ClusterHost,
  mesh: Mesh,
  ports: PortsByAccount,
  { steps, signal }: { steps: Steps; signal: AbortSignal },
): Promise<RunningCluster> {
  const wanted = clusterOf(mesh, host.name);
  const { kube } = host;
  const { namespace } = wanted.istiod;
  await steps.step(
    'istiod',
    () => readyPod(kube, { namespace, app: 'istiod' }, signal),
    () => [`${host.name}: injected, logged in, four files, CA up`, `127.0.0.1:${host.ports.istiod}`],
  );
  const workloads = await Promise.all(
    [...ports].map(([account, p]) => workloadOf(host, mesh, account, p, signal)),
  );
  return {
    name: host.name,
    wanted,
    kube,
    kubeconfig: host.kubeconfig,
    istiodAddress: `127.0.0.1:${host.ports.istiod}`,
    workloads,
    hostPath: async ({ namespace: ns, app, container, mountPath }) => {
      const pod = await readyPod(kube, { namespace: ns, app }, signal);
      return host.node.hostPath(ns, pod.metadata.name, container, mountPath);
    },
    restartIstiod: async (until) => {
      const { metadata } = await readyPod(kube, { namespace, app: 'istiod' }, until);
      await kube.delete({ apiVersion: 'v1', kind: 'Pod', name: metadata.name, namespace });
      await readyPod(
        kube,
        { namespace, app: 'istiod', ...(metadata.uid === undefined ? {} : { not: metadata.uid }) },
        until,
      );
    },
  };
}

async function workloadOf(
  host: ClusterHost,
  mesh: Mesh,
  account: string,
  ports: WorkloadPorts,
  signal: AbortSignal,
): Promise<Workload> {
  const pod = await readyPod(host.kube, { namespace: workloadNamespace, app: account }, signal);
  return {
    cluster: host.name,
    account,
    spiffeId: `spiffe://${mesh.trustDomain}/ns/${workloadNamespace}/sa/${account}`,
    port: ports.serve,
    control: new WorkloadControl(ports.control),
    folder: await host.node.hostPath(workloadNamespace, pod.metadata.name, 'workload', '/etc/certs'),
  };
}
