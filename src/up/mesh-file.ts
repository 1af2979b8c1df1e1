import { stringify } from 'yaml';
import type { UpOptions } from './options.ts';

export interface ClusterPorts {
  readonly api: number;
  /** Of a real controller manager. */
  readonly controllers: number;
  readonly injector: number;
  readonly istiod: number;
  /** istiod's other listeners: http, https, plain gRPC, monitoring. */
  readonly istiodOthers: readonly [number, number, number, number];
}

/**
 * The mesh.yaml of the running system, so that plan, apply and rotate work on it like on any other mesh. istiod gets the
 * arguments of the real one: on one loopback address every listener needs a port of its own.
 */
export function meshFileText(
  options: Pick<UpOptions, 'keyType' | 'with'>,
  vaultAddress: string,
  clusters: readonly { name: string; kubeconfig: string; ports: ClusterPorts }[],
): string {
  const { keyType } = options;
  const document = {
    apiVersion: 'meshroot/v1',
    kind: 'Mesh',
    trustDomain: 'cluster.local',
    vault: { address: vaultAddress },
    root: { keyType: keyType ?? 'ec-p384', ttl: '10y' },
    clusters: clusters.map(({ name, kubeconfig, ports }) => ({
      name,
      kubeconfig,
      istiod: {
        namespace: 'istio-system',
        serviceAccount: 'istiod',
        address: `127.0.0.1:${ports.istiod}`,
        deploy: { args: istiodArguments(ports), readyPort: ports.istiodOthers[0] },
      },
      intermediate: { keyType: keyType ?? 'ec-p256', ttl: '90d' },
      injector: {
        listen: `127.0.0.1:${ports.injector}`,
        // A real API server looks for the Service's address on a network that is not there.
        ...(options.with.has('kube-apiserver') && { url: `https://127.0.0.1:${ports.injector}/mutate` }),
        refresh: '1s',
      },
    })),
  };
  return `# written by meshroot up: the mesh that runs on this machine\n${stringify(document)}`;
}

function istiodArguments({ istiod, istiodOthers: [http, https, grpc, monitoring] }: ClusterPorts): string[] {
  return [
    'discovery',
    `--secureGRPCAddr=127.0.0.1:${istiod}`,
    `--httpAddr=127.0.0.1:${http}`,
    `--httpsAddr=127.0.0.1:${https}`,
    `--grpcAddr=127.0.0.1:${grpc}`,
    `--monitoringAddr=127.0.0.1:${monitoring}`,
    '--ctrlz_port=0',
  ];
}
