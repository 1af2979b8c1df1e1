import type { KubeApi } from '../kube/api.ts';
import { connect } from '../kube/connect.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { systemClock } from '../lib/clock.ts';
import { startCluster } from '../sandbox/cluster.ts';
import type { ClusterPorts } from './mesh-file.ts';
import { type NodeOptions, type SandboxNode, startNode } from './node.ts';
import type { Ports } from './ports.ts';

export interface ClusterHostOptions extends Omit<NodeOptions, 'kube' | 'cluster'> {
  readonly name: string;
  readonly ports: Ports;
}

/** One sandbox cluster with its node, before anything of the mesh is in it. */
export interface ClusterHost {
  readonly name: string;
  /** File with the rights of a cluster administrator. */
  readonly kubeconfig: string;
  readonly kube: KubeApi;
  readonly ports: ClusterPorts;
  readonly node: SandboxNode;
  close(): Promise<void>;
}

/** Starts API server, controllers and the node of a cluster; its objects live in this process. */
export async function startClusterHost(options: ClusterHostOptions): Promise<ClusterHost> {
  const { name, folder, ports: pool } = options;
  const ports = await takePorts(pool);
  const cluster = await startCluster({ name, clock: systemClock, port: ports.api });
  const kubeconfig = folder.file(`${name}.kubeconfig`);
  await writeFileAtomic(kubeconfig, cluster.adminKubeconfig.reveal());
  const kube = await connect({ kubeconfig, env: {} });
  const node = await startNode({ ...options, cluster });
  const close = async () => {
    await node.stop();
    kube.close();
    await cluster.close();
  };
  return { name, kubeconfig, kube, ports, node, close };
}

async function takePorts(ports: Ports): Promise<ClusterPorts> {
  const take = () => ports.take();
  return {
    api: await take(),
    injector: await take(),
    istiod: await take(),
    istiodOthers: [await take(), await take(), await take(), await take()],
  };
}
