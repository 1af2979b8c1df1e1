import { timingSafeEqual } from 'node:crypto';
import type { Random } from './barrier.ts';
import type { Physical, PhysicalChange } from './physical.ts';
import { refuse } from './refusal.ts';
import type { RekeyWords } from './rekey-words.ts';
import {
  combined,
  openRootKey,
  readSealConfig,
  type SealConfig,
  sealConfigProblem,
  sealRootKey,
} from './seal.ts';
import { ShareQuorum } from './share-quorum.ts';
import { uuidOf } from './uuid.ts';

export interface RekeyStatus extends SealConfig {
  readonly nonce: string;
  readonly started: boolean;
  readonly progress: number;
  /** Old shares that are needed. */
  readonly required: number;
  readonly verificationRequired: boolean;
  /** Empty until new shares wait for their verification. */
  readonly verificationNonce: string;
}

export interface NewShares {
  /** Shown once. */
  readonly shares: readonly Buffer[];
  readonly status: RekeyStatus;
}

interface Attempt {
  readonly config: SealConfig;
  readonly mustVerify: boolean;
  readonly quorum: ShareQuorum;
  /** New shares that are out but do not count yet. */
  pending?: { readonly changes: readonly PhysicalChange[]; readonly sealKey: Buffer; quorum: ShareQuorum };
}

export interface RekeyOptions {
  readonly physical: Physical;
  readonly rootKey: Buffer;
  readonly random: Random;
}

/**
 * New key shares around the same root key, by a quorum of the old ones. The old shares count until the new ones are on
 * disk; with verification, that is when a quorum of the new ones came back. One attempt at a time.
 */
export class Rekey {
  readonly #options: RekeyOptions;
  #attempt: Attempt | undefined;

  constructor(options: RekeyOptions) {
    this.#options = options;
  }

  status(): RekeyStatus {
    const required = readSealConfig(this.#options.physical)?.threshold ?? 0;
    const attempt = this.#attempt;
    return {
      nonce: attempt?.quorum.nonce ?? '',
      started: attempt !== undefined,
      shares: attempt?.config.shares ?? 0,
      threshold: attempt?.config.threshold ?? 0,
      progress: attempt?.quorum.progress ?? 0,
      required,
      verificationRequired: attempt?.mustVerify ?? false,
      verificationNonce: attempt?.pending?.quorum.nonce ?? '',
    };
  }

  /** @throws Refusal for shares that cannot be, 400 while another attempt runs */
  begin(config: SealConfig, mustVerify: boolean, words: RekeyWords): void {
    const problem = sealConfigProblem(config);
    if (problem !== undefined) {
      throw refuse(`${words.invalid}: ${problem}`, words.invalidStatus, 'bad-seal-config');
    }
    if (this.#attempt !== undefined) throw refuse(words.busy, 400, 'rekey-busy');
    this.#attempt = { config, mustVerify, quorum: this.#quorum(this.status().required) };
  }

  cancel(): void {
    this.#attempt?.quorum.wipe();
    this.#attempt?.pending?.sealKey.fill(0);
    this.#attempt = undefined;
  }

  /** One old share more; the new shares when it was the last. @throws Refusal */
  async update(share: Buffer, nonce: string, words: RekeyWords): Promise<NewShares | undefined> {
    const attempt = this.#attempt;
    if (attempt === undefined) throw refuse(words.none, 400, 'no-rekey');
    if (attempt.pending !== undefined) {
      throw refuse(
        `${words.finished}; verification must be performed; nonce for the verification operation is "${attempt.pending.quorum.nonce}"`,
      );
    }
    checkNonce(nonce, attempt.quorum.nonce, words.nonce);
    const shares = attempt.quorum.add(share, words.duplicate);
    if (shares === undefined) return undefined;
    await this.#prove(shares);
    const next = await sealRootKey(attempt.config, this.#options.rootKey, this.#options.random);
    if (this.#attempt !== attempt) throw refuse(words.none, 400, 'no-rekey'); // cancelled meanwhile
    if (attempt.mustVerify) {
      const sealKey = await combined(next.shares.slice(0, attempt.config.threshold));
      attempt.pending = { changes: next.changes, sealKey, quorum: this.#quorum(attempt.config.threshold) };
      return { shares: next.shares, status: this.status() };
    }
    const status = this.status();
    this.cancel(); // before the write: nobody may add to a quorum that is done
    await this.#options.physical.commit(next.changes);
    return { shares: next.shares, status };
  }

  /** Undefined when nothing runs. */
  verification():
    | { readonly nonce: string; readonly started: boolean; readonly progress: number }
    | undefined {
    if (this.#attempt === undefined) return undefined;
    const quorum = this.#attempt.pending?.quorum;
    return {
      nonce: quorum?.nonce ?? '',
      started: quorum !== undefined,
      progress: quorum?.progress ?? 0,
    };
  }

  /** One new share more; its nonce when the new shares count from now on. @throws Refusal */
  async verify(share: Buffer, nonce: string, words: RekeyWords): Promise<string | undefined> {
    const pending = this.#pending(words);
    checkNonce(nonce, pending.quorum.nonce, 'verify operation');
    const shares = pending.quorum.add(
      share,
      'given key has already been provided during this verify operation',
    );
    if (shares === undefined) return undefined;
    const given = await combined(shares).catch(() => Buffer.alloc(0));
    if (given.length !== pending.sealKey.length || !timingSafeEqual(given, pending.sealKey)) {
      pending.quorum = this.#quorum(this.#attempt?.config.threshold ?? 0);
      throw refuse(words.unproven, 400, 'rekey-unproven');
    }
    if (this.#attempt?.pending !== pending) throw refuse(words.noneToVerify, 400, 'no-rekey');
    this.cancel();
    await this.#options.physical.commit(pending.changes);
    return pending.quorum.nonce;
  }

  /** The verification starts anew, with another nonce. @throws Refusal 400 */
  restartVerification(words: RekeyWords): void {
    this.#pending(words).quorum = this.#quorum(this.#attempt?.config.threshold ?? 0);
  }

  #pending(words: RekeyWords): NonNullable<Attempt['pending']> {
    if (this.#attempt === undefined) throw refuse(words.noneToVerify, 400, 'no-rekey');
    if (this.#attempt.pending === undefined) throw refuse(words.notVerifying, 400, 'no-rekey');
    return this.#attempt.pending;
  }

  #quorum(threshold: number): ShareQuorum {
    return new ShareQuorum(uuidOf(this.#options.random(16)), threshold);
  }

  async #prove(shares: readonly Buffer[]): Promise<void> {
    const rootKey = await openRootKey(this.#options.physical, shares);
    rootKey.fill(0);
    for (const share of shares) share.fill(0);
  }
}

/** Nonces are no secrets: they tell attempts apart, and upstream's refusal says the right one. */
export function checkNonce(given: string, wanted: string, what: string): void {
  if (given === wanted) return;
  throw refuse(`incorrect nonce supplied; nonce for this ${what} is "${wanted}"`, 400, 'bad-nonce');
}
