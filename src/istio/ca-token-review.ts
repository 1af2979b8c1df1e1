import { hash } from 'node:crypto';
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
  /** How long a review may take with the wait for its turn, in ms: pilot-agent itself waits forever. */
  readonly deadline?: number;
  /** Reviews under way at a time; the others wait for their turn. */
  readonly parallel?: number;
  /** Reviews that may wait: who was told to come back in a storm would only bring its token again. */
  readonly waiting?: number;
  readonly entries?: number;
}

/**
 * A reviewer that asks `review` once for the same token within a few seconds (by hash; only good verdicts are kept),
 * waits at most the deadline, and turns an unreachable reviewer into code 14, which agents retry.
 */
export function boundedReview(review: ReviewToken, limits: ReviewLimits): ReviewToken {
  const { clock, ttl = 5000, deadline = 5000, parallel = 256, entries = 10_000 } = limits;
  const turns = new Turns(parallel, limits.waiting ?? 20_000);
  const kept = new Map<string, { verdict: Promise<TokenVerdict>; until: number }>();

  const ask = async (token: string, audiences: readonly string[]): Promise<TokenVerdict> => {
    const began = clock.now();
    const turn = turns.take();
    if (turn !== undefined) await turn;
    try {
      const left = began + deadline - clock.now();
      if (left <= 0) throw new CaRefusal('overloaded', `token reviews take longer than ${deadline} ms`);
      return await inTime(review(token, audiences), clock, left);
    } catch (error) {
      throw unavailable(error);
    } finally {
      turns.leave();
    }
  };

  return async (token, audiences) => {
    const key = hash('sha256', token, 'base64');
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

/** So many at a time; the others in the order in which they came. */
class Turns {
  #free: number;
  readonly #most: number;
  readonly #queue: (() => void)[] = [];

  constructor(parallel: number, waiting: number) {
    this.#free = parallel;
    this.#most = waiting;
  }

  /** Undefined: go on at once. @throws CaRefusal `overloaded` when too many wait */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    if (this.#queue.length >= this.#most)
      throw new CaRefusal('overloaded', `${this.#queue.length} token reviews wait`);
    return new Promise<void>((go) => this.#queue.push(go));
  }

  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
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
