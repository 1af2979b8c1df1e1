import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';

/** What an API server says, or does not say, while it restarts or is overrun. */
const passing: ReadonlySet<string> = new Set([
  'kube-unreachable',
  'kube-unavailable',
  'kube-busy',
  'kube-timeout',
  'kube-internal',
]);
/** Milliseconds before each further try. */
const pauses = [100, 400, 1500];

/**
 * Does `work` again while it fails for a reason that passes; it must be safe to repeat.
 * @param also further codes that may pass here
 */
export async function persist<T>(
  clock: Clock,
  work: () => Promise<T>,
  also: readonly string[] = [],
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (!passing.has(code) && !also.includes(code)) throw error;
      await clock.sleep(pause);
    }
  }
  return work();
}
