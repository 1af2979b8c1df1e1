import type { VaultClient } from '../client/vault-client.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import type { Mesh, MeshCluster } from '../mesh/schema.ts';
import type { Store } from './store.ts';
import type { Workload } from './workloads.ts';

/** One running cluster, as the checks and the trust tree look at it. */
export interface RunningCluster {
  readonly name: string;
  readonly wanted: MeshCluster;
  /** As cluster-admin. */
  readonly kube: KubeApi;
  readonly kubeconfig: string;
  /** host:port of istiod's CA. */
  readonly istiodAddress: string;
  readonly workloads: readonly Workload[];
  /** Folder on this machine behind `mountPath` of a container of a running pod with label app=`app`. */
  hostPath(pod: { namespace: string; app: string; container: string; mountPath: string }): Promise<string>;
  /** Replaces istiod's pod by a new one and resolves when that is ready. */
  restartIstiod(signal: AbortSignal): Promise<void>;
}

/** Everything that is up. */
export interface RunningSystem {
  readonly clock: Clock;
  readonly mesh: Mesh;
  readonly meshFile: string;
  readonly store: Store;
  readonly clusters: readonly RunningCluster[];
  /** URL of the metrics that come from the audit log. */
  readonly metricsUrl: string;
  /** How long a check may wait for something to happen, milliseconds. */
  readonly patience: number;
}

/** The store as its root user. */
export const vaultOf = ({ store }: Pick<RunningSystem, 'store'>): VaultClient => store.client;
