import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeApi } from '../../src/kube/api.ts';
import { connect } from '../../src/kube/connect.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { startCluster } from '../../src/sandbox/cluster.ts';

export interface EmptyCluster {
  readonly kube: KubeApi;
  readonly kubeconfig: string;
  /** The same cluster as a user of this name, who has no permission of his own. */
  as(user: string): Promise<KubeApi>;
  close(): Promise<void>;
}

/** A sandbox API server on a socket, with nothing in it but what every cluster has. */
export async function emptyCluster(): Promise<EmptyCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'meshroot-cluster-'));
  const cluster = await startCluster({ name: 'empty', clock: systemClock });
  const open: KubeApi[] = [];
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const connected = async (kubeconfig: string): Promise<KubeApi> => {
    const kube = await connect({ kubeconfig, env: {} });
    open.push(kube);
    return kube;
  };
  const kubeconfig = write('admin', cluster.adminKubeconfig.reveal());
  return {
    kube: await connected(kubeconfig),
    kubeconfig,
    as: async (user) => connected(write(user, (await cluster.kubeconfigFor(user, [])).reveal())),
    close: async () => {
      for (const kube of open) kube.close();
      await cluster.close();
      await rm(folder, { recursive: true });
    },
  };
}
