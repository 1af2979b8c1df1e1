import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';

/** Milliseconds before each further try. */
const pauses: readonly number[] = [100, 400, 1500];
/** Of a Vault with a quota: many clusters wait side by side, so that the pace becomes what it allows. */
const quotaPauses: readonly number[] = [500, 1000, 2000, 4000, 8000, 16_000];

/** What an API server says, or does not say, while it restarts or is overrun, and a Vault that limits its callers. */
const passing: Readonly<Record<string, readonly number[]>> = {
  'kube-unreachable': pauses,
  'kube-unavailable': pauses,
  'kube-busy': pauses,
  'kube-timeout': pauses,
  'kube-internal': pauses,
  'vault-rate-limited': quotaPauses,
};

/**
 * Does `work` again while it fails for a reason that passes; it must be safe to repeat.
 * @param also further codes that may pass here
 */
export async function persist<T>(
  clock: Clock,
  work: () => Promise<T>,
  also: readonly string[] = [],
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error) ?? '';
      const pause = (also.includes(code) ? pauses : passing[code])?.[attempt];
      if (pause === undefined) throw error;
      await clock.sleep(pause);
    }
  }
}
