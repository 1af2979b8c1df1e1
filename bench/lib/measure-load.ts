import type { LoadResult } from './load.ts';
import type { Sample } from './measures.ts';
import { cpuMs, rssMb } from './process-usage.ts';

/**
 * Warm-up, then the measured load, with what it cost the process that was asked.
 * @throws Error when an answer was an error: a refusal is faster than the work
 */
export async function measureLoad(
  pid: number,
  load: (seconds: number) => Promise<LoadResult>,
  { seconds, warmup }: { readonly seconds: number; readonly warmup: number },
): Promise<Sample> {
  if (warmup > 0) await load(warmup);
  const before = cpuMs(pid);
  const result = await load(seconds);
  const after = cpuMs(pid);
  const rss = rssMb(pid);
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} answers were errors`);
  return {
    perSecond: result.requests / result.seconds,
    p50: result.p50,
    p99: result.p99,
    ...(before === undefined || after === undefined ? {} : { cpu: (after - before) / result.requests }),
    ...(rss === undefined ? {} : { rss }),
  };
}
