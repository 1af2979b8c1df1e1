/** The longest wait that timers take: 2^31 - 1 ms, about 24 days. */
const longest = 2_147_483_647;

/**
 * How long to wait with a token (or lease) that has `leftMs` to live, as Vault's lifetime watcher: two thirds plus a
 * third of the grace period when it can be renewed, until the grace period when it cannot. The grace is a random 10 to
 * 20 % of the life, so that a fleet does not come back at once.
 * @param random 0 to 1
 * @returns milliseconds; `longest` for one that does not end, undefined when it is time to start over
 */
export function renewalWait(leftMs: number, renewable: boolean, random: number): number | undefined {
  if (leftMs <= 0) return longest;
  const grace = leftMs * (0.1 + 0.1 * random);
  if (leftMs - grace < 1) return undefined;
  const wait = renewable ? (leftMs * 2) / 3 + grace / 3 : leftMs - grace;
  return Math.min(wait, longest);
}
