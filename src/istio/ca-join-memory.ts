import type { Clock } from '../lib/clock.ts';
import type { UsedTokens } from './ca-join.ts';
import { CaRefusal } from './ca-refusal.ts';

/**
 * Used tokens in the memory of this process, each until it ends: forgotten at a restart and unknown to other replicas.
 * When `entries` are remembered and none has ended, nobody joins (code 8) rather than a token twice.
 */
export function memoryTokens(clock: Clock, entries = 100_000): UsedTokens {
  const ends = new Map<string, number>();
  return {
    add: async ({ id, expiresAt = Number.POSITIVE_INFINITY }) => {
      if (ends.has(id)) return false;
      if (ends.size >= entries) dropEnded(ends, clock.now());
      if (ends.size >= entries)
        throw new CaRefusal('overloaded', `${entries} tokens of machines were used and have not ended`);
      ends.set(id, expiresAt);
      return true;
    },
  };
}

function dropEnded(ends: Map<string, number>, now: number): void {
  const skew = 60_000; // a reviewer's clock may be behind ours
  for (const [id, end] of ends) if (end + skew < now) ends.delete(id);
}
