import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { CaRefusal } from './ca-refusal.ts';
import { inTime } from './in-time.ts';

export interface PodRef {
  readonly name: string;
  readonly uid: string;
}

/** What a Kubernetes TokenReview (or a local check of the signature) says of a token. */
export interface TokenVerdict {
  readonly authenticated: boolean;
  readonly username: string;
  readonly groups: readonly string[];
  /** The pod that the token is bound to. */
  readonly pod?: PodRef | undefined;
  /** When the token itself ends, in ms since the epoch, where that is known: no verdict is kept beyond it. */
  readonly expiresAt?: number | undefined;
  /** Why not, for the log; never the token. */
  readonly error?: string;
}

/** @throws anything when the reviewer cannot be asked */
export type ReviewToken = (token: string, audiences: readonly string[]) => Promise<TokenVerdict>;

export interface ReviewLimits {
  readonly clock: Clock;
  /** How long a good verdict is believed, in ms: one agent's retries cost one review, a deleted pod's token dies soon. */
  readonly ttl?: number;
  /** How long a review may take, in ms: pilot-agent itself waits forever. */
  readonly deadline?: number;
  /** Reviews under way at a time; beyond it callers are told to come back. */
  readonly parallel?: number;
  readonly entries?: number;
}

/**
 * A reviewer that asks `review` once for the same token within a few seconds (by hash; only good verdicts are kept),
 * waits at most the deadline, and turns an unreachable reviewer into code 14, which agents retry.
 */
export function boundedReview(review: ReviewToken, limits: ReviewLimits): ReviewToken {
  const { clock, ttl = 5000, deadline = 5000, parallel = 256, entries = 10_000 } = limits;
  const kept = new Map<string, { verdict: Promise<TokenVerdict>; until: number }>();
  let underWay = 0;

  const ask = async (token: string, audiences: readonly string[]): Promise<TokenVerdict> => {
    if (underWay >= parallel)
      throw new CaRefusal('overloaded', `more than ${parallel} token reviews are under way`);
    underWay += 1;
    try {
      return await inTime(review(token, audiences), clock, deadline);
    } catch (error) {
      throw unavailable(error);
    } finally {
      underWay -= 1;
    }
  };

  return async (token, audiences) => {
    const key = createHash('sha256').update(token).digest('base64');
    const now = clock.now();
    const known = kept.get(key);
    if (known !== undefined && known.until > now) return known.verdict;
    if (kept.size >= entries) dropOld(kept, now, entries);
    const entry = { verdict: ask(token, audiences), until: now + deadline + ttl };
    kept.set(key, entry);
    const forget = () => {
      if (kept.get(key) === entry) kept.delete(key);
    };
    try {
      const verdict = await entry.verdict;
      if (verdict.authenticated)
        entry.until = Math.min(clock.now() + ttl, verdict.expiresAt ?? Number.POSITIVE_INFINITY);
      else forget();
      return verdict;
    } catch (error) {
      forget();
      throw error;
    }
  };
}

function unavailable(error: unknown): CaRefusal {
  if (error instanceof CaRefusal) return error;
  return new CaRefusal(
    'reviewer-unavailable',
    'token review is not available, try again',
    `token review failed: ${messageOf(error)}`,
  );
}

function dropOld(kept: Map<string, { until: number }>, now: number, entries: number): void {
  for (const [key, { until }] of kept) if (until <= now) kept.delete(key);
  for (const key of kept.keys()) {
    if (kept.size < entries) return;
    kept.delete(key);
  }
}
