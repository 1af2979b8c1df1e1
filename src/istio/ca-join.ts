import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { CaRefusal } from './ca-refusal.ts';
import { inTime } from './in-time.ts';

/** A token by what cannot be changed about it, for remembering that it was used. */
export interface JoinMark {
  /** SHA-256, hex. */
  readonly id: string;
  /** When the token ends, in ms since the epoch; undefined when it never does. */
  readonly expiresAt: number | undefined;
}

/** Where used tokens are remembered. */
export interface UsedTokens {
  /** True for one caller of each mark and no more, however many ask at once. @throws when that cannot be known */
  add(mark: JoinMark): Promise<boolean>;
}

const expiry = z.object({ exp: z.number().positive() });

/**
 * The mark of a token that was found good. Of a JWT only header and payload count: the signature over the same two can be
 * spelled in several ways (spare bits of base64url; s and n-s of ECDSA), and each would pass for another token.
 */
export function joinMark(token: string): JoinMark {
  const [, signed = token, payload = ''] = /^([^.]+\.([^.]+))\.[^.]*$/.exec(token) ?? [];
  const id = createHash('sha256').update(signed).digest('hex');
  return { id, expiresAt: expiryOf(payload) };
}

function expiryOf(payload: string): number | undefined {
  try {
    return expiry.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).exp * 1000;
  } catch {
    return undefined; // no JWT, or one without an end
  }
}

/** Longest wait for where used tokens are remembered, in ms. */
const deadline = 4000;
const remembered = 10_000;

/** One token joins once: pods show theirs again and again, but a token without a pod is a machine's ticket. */
export class JoinOnce {
  readonly #tokens: UsedTokens;
  readonly #clock: Clock;
  readonly #seen = new Set<string>();

  constructor(tokens: UsedTokens, clock: Clock) {
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** Before any work is done: what is known here to be used is refused at once. @throws CaRefusal `token-used` */
  check({ id }: JoinMark): void {
    if (this.#seen.has(id)) throw used();
  }

  /**
   * Uses the token up. To be called last, so that a bad request or a signer that is away costs no token.
   * @throws CaRefusal `token-used`, or `join-unavailable` when it cannot be known whether it was used
   */
  async spend(mark: JoinMark): Promise<void> {
    this.check(mark);
    const first = await inTime(this.#tokens.add(mark), this.#clock, deadline).catch((error: unknown) => {
      if (error instanceof CaRefusal) throw error;
      throw new CaRefusal(
        'join-unavailable',
        'used tokens cannot be remembered just now, try again',
        `used tokens: ${messageOf(error)}`,
      );
    });
    this.#remember(mark.id);
    if (!first) throw used();
  }

  #remember(id: string): void {
    const [oldest] = this.#seen;
    if (this.#seen.size >= remembered && oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.add(id);
  }
}

function used(): CaRefusal {
  return new CaRefusal(
    'token-used',
    'this token was used already: renew with the certificate it gave, or join again with a new token',
  );
}
