import { refuse } from './refusal.ts';

/** Key shares that come in one by one for one purpose, known by its nonce. Lives in memory: sealing forgets it. */
export class ShareQuorum {
  readonly nonce: string;
  readonly #threshold: number;
  #shares: Buffer[] = [];

  /** @param threshold shares that are enough */
  constructor(nonce: string, threshold: number) {
    this.nonce = nonce;
    this.#threshold = threshold;
  }

  get progress(): number {
    return this.#shares.length;
  }

  /**
   * All shares as soon as there are enough, and the next one starts anew: a wrong quorum must not stay.
   * @param duplicate what to say of a share that was given before. @throws Refusal 400
   */
  add(share: Buffer, duplicate: string): readonly Buffer[] | undefined {
    if (this.#shares.some((known) => known.equals(share))) throw refuse(duplicate, 400, 'share-twice');
    this.#shares.push(share);
    if (this.#shares.length < this.#threshold) return undefined;
    const shares = this.#shares;
    this.#shares = [];
    return shares;
  }

  wipe(): void {
    for (const share of this.#shares) share.fill(0);
    this.#shares = [];
  }
}
