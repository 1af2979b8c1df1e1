import { VaultError } from '../client/vault-error.ts';
import type { Clock } from '../lib/clock.ts';
import { codeOf, messageOf } from '../lib/errors.ts';
import { CaRefusal } from './ca-refusal.ts';
import type { Issued, ServingOrder, Signer, TrustSet, WorkloadOrder } from './ca-signer.ts';
import { inTime } from './in-time.ts';

export interface GuardOptions {
  readonly clock: Clock;
  /** Of one certificate, in ms: agents themselves wait without limit. */
  readonly deadline?: number;
  /** Failures in a row that open the breaker. */
  readonly failures?: number;
  /** How long it stays open at first and at most, in ms; it doubles while the signer stays away. */
  readonly pause?: number;
  readonly maxPause?: number;
  /** Signs while the signer is away, when the operator allows it. */
  readonly reserve?: Signer | undefined;
  readonly onSigned?: (result: {
    readonly ok: boolean;
    readonly ms: number;
    readonly reserve: boolean;
  }) => void;
  readonly onBreaker?: (state: { readonly open: boolean; readonly reason: string }) => void;
}

/**
 * A signer that is somewhere else, with a bound on its time and a breaker: after some failures in a row nobody waits for
 * it any more until one probe gets through. Callers are told 14 in the meantime, which agents retry.
 */
export class GuardedSigner implements Signer {
  readonly #inner: Signer;
  readonly #options: GuardOptions;
  #failed = 0;
  #openUntil = 0;
  #pause: number;
  #probing = false;

  constructor(inner: Signer, options: GuardOptions) {
    this.#inner = inner;
    this.#options = options;
    this.#pause = options.pause ?? 1000;
  }

  trust(): TrustSet {
    return this.#inner.trust();
  }

  signWorkload(order: WorkloadOrder): Promise<Issued> {
    return this.#guarded((signer) => signer.signWorkload(order), order.until);
  }

  signServing(order: ServingOrder): Promise<Issued> {
    return this.#guarded((signer) => signer.signServing(order));
  }

  async #guarded(sign: (signer: Signer) => Promise<Issued>, until?: number): Promise<Issued> {
    const { clock, reserve, onSigned } = this.#options;
    const began = clock.now();
    const done = (ok: boolean, ofReserve: boolean) =>
      onSigned?.({ ok, ms: clock.now() - began, reserve: ofReserve });
    try {
      const issued = await this.#attempt(sign, until);
      done(true, false);
      return issued;
    } catch (error) {
      if (!(error instanceof CaRefusal) || reserve === undefined) {
        done(false, false);
        throw error;
      }
      const issued = await sign(reserve);
      done(true, true);
      return issued;
    }
  }

  /** A caller that has waited elsewhere has less time left; that little ran out says nothing about the signer. */
  async #attempt(
    sign: (signer: Signer) => Promise<Issued>,
    until = Number.POSITIVE_INFINITY,
  ): Promise<Issued> {
    const { clock, deadline = 4500 } = this.#options;
    const left = until - clock.now();
    if (left <= 0) throw away('no time is left to sign');
    const open = this.#openUntil > 0;
    if (open && (this.#probing || clock.now() < this.#openUntil)) throw away('the breaker is open');
    this.#probing = open;
    try {
      const issued = await inTime(sign(this.#inner), clock, Math.min(deadline, left));
      this.#close();
      return issued;
    } catch (error) {
      if (!isAway(error)) {
        this.#close(); // it answered, if only to refuse
        throw error;
      }
      if (codeOf(error) !== 'deadline' || left >= deadline / 2) this.#count(messageOf(error));
      throw away(messageOf(error));
    } finally {
      if (open) this.#probing = false;
    }
  }

  #close(): void {
    const { pause = 1000, onBreaker } = this.#options;
    this.#failed = 0;
    this.#pause = pause;
    if (this.#openUntil === 0) return;
    this.#openUntil = 0;
    onBreaker?.({ open: false, reason: 'the signer answers again' });
  }

  #count(reason: string): void {
    const { clock, failures = 5, maxPause = 15_000, onBreaker } = this.#options;
    this.#failed += 1;
    if (this.#failed < failures) return;
    if (this.#openUntil === 0) onBreaker?.({ open: true, reason });
    this.#openUntil = clock.now() + this.#pause;
    this.#pause = Math.min(this.#pause * 2, maxPause);
  }
}

/** No answer at all, or one of a Vault that cannot answer just now: time mends it, and nothing is wrong with the settings. */
export function isUnreachable(error: unknown): boolean {
  if (codeOf(error) === 'deadline') return true;
  if (!(error instanceof VaultError)) return false;
  const { status } = error;
  return status === undefined || status === 412 || status === 429 || status >= 500;
}

/** No answer, a sealed or overloaded Vault, a token that is refused: all that somebody may mend while agents retry. */
function isAway(error: unknown): boolean {
  if (isUnreachable(error) || codeOf(error) === 'vault-login') return true;
  return error instanceof VaultError && error.status === 403;
}

function away(reason: string): CaRefusal {
  return new CaRefusal('signer-unavailable', 'the signer is not available, try again', reason);
}
