import { MeshrootError, messageOf } from '../lib/errors.ts';
import { defaultConcurrency } from './plan.ts';
import { inPool } from './pool.ts';

export interface ClusterFailure {
  readonly cluster: string;
  readonly error: unknown;
}

export interface EachClusterOptions {
  /** How many at one time. */
  readonly concurrency?: number | undefined;
  /** Once it is aborted no further cluster is begun; what is under way is brought to its end. */
  readonly signal?: AbortSignal | undefined;
  /** Called when a cluster is through, one way or the other. */
  ended?(cluster: string, failed: boolean): void;
}

/**
 * Runs `work` for every cluster to its end, whatever becomes of the others.
 * @returns those that failed
 * @throws MeshrootError `interrupted` when some were never begun
 */
export async function settleClusters(
  clusters: readonly string[],
  { concurrency = defaultConcurrency, signal, ended }: EachClusterOptions,
  work: (cluster: string) => Promise<unknown>,
): Promise<ClusterFailure[]> {
  let begun = 0;
  const watched = async (cluster: string): Promise<void> => {
    begun++;
    await work(cluster).catch((error: unknown) => {
      ended?.(cluster, true);
      throw error;
    });
    ended?.(cluster, false);
  };
  const results = await inPool(clusters, concurrency, watched, signal);
  if (begun < clusters.length) throw interrupted(signal, clusters.length - begun, clusters.length);
  return clusters.flatMap((cluster, i) => {
    const result = results[i];
    return result?.status === 'rejected' ? [{ cluster, error: result.reason as unknown }] : [];
  });
}

/** As settleClusters. @throws the error of the one that failed, or `clusters-failed` that names each */
export async function eachCluster(
  clusters: readonly string[],
  options: EachClusterOptions,
  work: (cluster: string) => Promise<unknown>,
): Promise<void> {
  throwFailures(await settleClusters(clusters, options, work), clusters.length);
}

/** @throws what failuresError makes of them, when there are any */
export function throwFailures(failures: readonly ClusterFailure[], total: number): void {
  if (failures.length > 0) throw failuresError(failures, total);
}

/** Of one failure its own error; of several, one that names each cluster with its reason. */
export function failuresError(failures: readonly ClusterFailure[], total: number): unknown {
  const [first, second] = failures;
  if (first !== undefined && second === undefined) return first.error;
  const lines = failures.map(({ cluster, error }) => `\n  ${cluster}: ${messageOf(error)}`);
  const message = `${failures.length} of ${total} clusters failed:${lines.join('')}`;
  const hint = 'the others are done; run the same command again, it goes on where each one stopped';
  return new MeshrootError('clusters-failed', message, { hint, exit: 1 });
}

function interrupted(signal: AbortSignal | undefined, left: number, total: number): MeshrootError {
  const why = messageOf(signal?.reason ?? 'stopped');
  return new MeshrootError('interrupted', `${why}: ${left} of ${total} clusters were not begun`, {
    hint: 'those that were begun were brought to an end; run the same command again for the rest',
    exit: 1,
    cause: signal?.reason,
  });
}
