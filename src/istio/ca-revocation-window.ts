import { decodeJwt } from 'jose';
import type { Clock } from '../lib/clock.ts';
import { boundedReview, type ReviewToken } from './ca-token-review.ts';

export interface WindowOptions {
  /** Checks signature, audience and end, and asks nobody. */
  readonly local: ReviewToken;
  /** Asks the cluster, which knows what it has revoked: tokens of pods and accounts that are gone. */
  readonly cluster: ReviewToken;
  /** For how long a token may count although it was revoked, in ms. */
  readonly window: number;
  readonly clock: Clock;
}

/** Clocks of nodes differ: a token from further ahead than this is asked about. */
const skew = 60_000;

/**
 * Local verification with a revocation window: a token that was made within it counts by its signature alone, an older
 * one is reviewed by the cluster, at most once in a window. So a storm of new pods asks nobody, and the token of a pod
 * that is deleted ends after `window` at the latest, not when it expires (12 hours for Istio's).
 */
export function withinWindow({ local, cluster, window, clock }: WindowOptions): ReviewToken {
  const reviewed = boundedReview(cluster, { clock, ttl: window });
  return async (token, audiences) => {
    const verdict = await local(token, audiences);
    if (!verdict.authenticated) return verdict;
    const now = clock.now();
    const made = (decodeJwt(token).iat ?? 0) * 1000; // it was verified above
    if (made > now + skew || made + window <= now) return reviewed(token, audiences);
    return { ...verdict, expiresAt: Math.min(verdict.expiresAt ?? Number.POSITIVE_INFINITY, made + window) };
  };
}
