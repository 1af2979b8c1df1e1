import { renewalWait } from './renewal.ts';

/** Ends in milliseconds since the epoch; undefined for what has none, or none that is known. */
export interface Ends {
  readonly token: number | undefined;
  readonly certificate: number | undefined;
}

/** Not sooner than this: what is about to end is asked for again and again, but not in a circle. */
const least = 100;

/**
 * When to renew or read again: well before the shorter of the token's and the certificate's life is over, at a random 70 to
 * 73 % of what is left of it. A token that outlives its certificates by far would else be found dead only when the next
 * certificate is due; a certificate that outlives the reading interval needs nothing, one that does not must be read before.
 * What has ended already says nothing: its successor is asked for at the usual interval.
 * @param now milliseconds since the epoch
 * @param random 0 to 1
 * @returns milliseconds to wait; undefined when nothing that ends is known
 */
export function renewalDue({ token, certificate }: Ends, now: number, random: number): number | undefined {
  const ends = [token, certificate].filter((end) => end !== undefined).filter((end) => end > now);
  if (ends.length === 0) return undefined;
  return Math.max(least, renewalWait(Math.min(...ends) - now, true, random) ?? least);
}
