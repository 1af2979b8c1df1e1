import type { RunningSystem } from '../system.ts';
import type { Workload } from '../workloads.ts';
import { must, type SystemCheck } from './check.ts';

export const mtlsSameCluster: SystemCheck = {
  name: 'workload-mtls-same-cluster',
  run: (system) => shakeAll(system, (a, b) => a.cluster === b.cluster, 'pairs inside a cluster'),
};

export const mtlsAcrossClusters: SystemCheck = {
  name: 'workload-mtls-across-clusters',
  run: (system) => shakeAll(system, (a, b) => a.cluster !== b.cluster, 'pairs of different clusters'),
};

/** Every ordered pair that `chosen` picks: one opens, the other answers, each verifies the other with the root alone. */
async function shakeAll(
  { clusters }: RunningSystem,
  chosen: (a: Workload, b: Workload) => boolean,
  what: string,
): Promise<string> {
  const all = clusters.flatMap(({ workloads }) => workloads);
  const pairs = all.flatMap((a) => all.filter((b) => a !== b && chosen(a, b)).map((b) => [a, b] as const));
  const results = await Promise.all(pairs.map(([a, b]) => shake(a, b)));
  const failed = results.find((text) => text !== undefined);
  must(failed === undefined, failed ?? '');
  must(pairs.length > 0, `there are no ${what}`);
  return `${pairs.length} ${what} shook hands, verified with the root alone`;
}

async function shake(from: Workload, to: Workload): Promise<string | undefined> {
  const { ok, peer, error } = await from.control.handshake(peerOf(to));
  if (ok && peer === to.spiffeId) return undefined;
  return `${from.spiffeId} of ${from.cluster} could not shake hands with ${to.cluster}: ${error ?? `was answered by ${peer}`}`;
}

/** How others reach a workload. */
export const peerOf = ({ port, spiffeId }: Workload) => ({ host: '127.0.0.1', port, expect: spiffeId });
