/** Delay before a container is started again, in ms. */
export interface BackoffOptions {
  readonly base: number;
  readonly most: number;
  /** A run at least this long makes the next failure the first one again. */
  readonly resetAfter: number;
}

/** As the kubelet: the first restart at once, then 10 s, 20 s, 40 s … five minutes; forgotten after ten good minutes. */
export const kubeletBackoff: BackoffOptions = { base: 10_000, most: 300_000, resetAfter: 600_000 };

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The run that just ended took `ranFor` ms; how long to wait now. */
  next(ranFor: number): number {
    if (ranFor >= this.#options.resetAfter) this.#failures = 0;
    const delay = this.#failures === 0 ? 0 : this.#options.base * 2 ** (this.#failures - 1);
    this.#failures++;
    return Math.min(delay, this.#options.most);
  }
}
