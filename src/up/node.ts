import { connect } from '../kube/connect.ts';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { MeshrootError } from '../lib/errors.ts';
import { imageTable } from '../sandbox/kubelet/images.ts';
import { mountNamespace } from '../sandbox/kubelet/in-cluster-files.ts';
import { start } from '../sandbox/kubelet/kubelet.ts';
import type { Reaper } from '../sandbox/kubelet/reaper.ts';
import type { WithKey } from './options.ts';
import { meshroot } from './programs.ts';
import type { ControlPlane } from './real-cluster.ts';
import type { StateFolder } from './state-folder.ts';

export interface NodeOptions {
  readonly cluster: ControlPlane;
  readonly folder: StateFolder;
  readonly reaper: Reaper;
  /** Real binaries in the place of ours. */
  readonly with: ReadonlyMap<WithKey, string>;
}

export interface SandboxNode {
  /** Where a path of a container is on this machine. @throws MeshrootError `no-such-container` */
  hostPath(namespace: string, pod: string, container: string, path: string): string;
  stop(): Promise<void>;
}

/** The one node of a cluster: a kubelet that talks to its API server like any other, with a node's rights. */
export async function startNode({ cluster, folder, reaper, with: real }: NodeOptions): Promise<SandboxNode> {
  const nodeName = `${cluster.name}-node`;
  const kubeconfig = folder.file(`${cluster.name}-node.kubeconfig`);
  const identity = await cluster.kubeconfigFor(`system:node:${nodeName}`, ['system:nodes']);
  await writeFileAtomic(kubeconfig, identity.reveal());
  const kube = await connect({ kubeconfig, env: {} });
  const given = (part: 'agent' | 'istiod' | 'injector') =>
    real.get(`${part}@${cluster.name}`) ?? real.get(part);
  const injector = given('injector');
  const binaries = {
    agent: given('agent'),
    istiod: given('istiod'),
    injector,
    mountNamespace: injector === undefined ? undefined : await mountNamespace(),
  };
  const kubelet = await start({
    kube,
    nodeName,
    reaper,
    dir: folder.file(cluster.name),
    images: imageTable(binaries, meshroot),
    tls: { ...(await cluster.servingIdentity([nodeName], ['127.0.0.1'])), clientCa: cluster.caPem },
    schedule: false, // the cluster has a scheduler of its own
    backoff: { base: 200 },
    refreshEvery: 1000,
  });
  return {
    hostPath: (namespace, pod, container, path) => {
      const found = kubelet.hostPath(namespace, pod, container, path);
      if (found !== undefined) return found;
      throw new MeshrootError(
        'no-such-container',
        `${nodeName} runs no container ${container} of ${namespace}/${pod}`,
      );
    },
    stop: async () => {
      await kubelet.stop(2000);
      kube.close();
    },
  };
}
