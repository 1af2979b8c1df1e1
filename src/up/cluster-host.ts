import type { KubeApi } from '../kube/api.ts';
import { connect } from '../kube/connect.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { systemClock } from '../lib/clock.ts';
import { startCluster } from '../sandbox/cluster.ts';
import type { ClusterPorts } from './mesh-file.ts';
import { type NodeOptions, type SandboxNode, startNode } from './node.ts';
import type { Ports } from './ports.ts';
import { programEnvironment } from './programs.ts';
import { type ControlPlane, startRealCluster } from './real-cluster.ts';

export interface ClusterHostOptions extends Omit<NodeOptions, 'cluster'> {
  readonly name: string;
  readonly ports: Ports;
  /** Where a real API server keeps its objects; without it the cluster is ours, in this process. */
  readonly etcdUrl: string | undefined;
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
  const cluster = await startControlPlane(options, ports);
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

/** Ours, or a real kube-apiserver where one was asked for. */
async function startControlPlane(options: ClusterHostOptions, ports: ClusterPorts): Promise<ControlPlane> {
  const { name, folder, reaper, etcdUrl } = options;
  const program = options.with.get('kube-apiserver');
  if (program === undefined || etcdUrl === undefined) {
    return startCluster({ name, clock: systemClock, port: ports.api });
  }
  return startRealCluster({
    name,
    program,
    etcdUrl,
    dir: folder.file(`${name}-control-plane`),
    port: ports.api,
    controllerPort: ports.controllers,
    registry: reaper,
    env: programEnvironment(folder.path),
    clock: systemClock,
  });
}

async function takePorts(ports: Ports): Promise<ClusterPorts> {
  const take = () => ports.take();
  return {
    api: await take(),
    controllers: await take(),
    injector: await take(),
    istiod: await take(),
    istiodOthers: [await take(), await take(), await take(), await take()],
  };
}
