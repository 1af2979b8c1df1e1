/** Grows from `min`, doubling, to `max`; each wait is shortened by a random 0 to 25 %. All in milliseconds. */
export class Backoff {
  readonly #min: number;
  readonly #max: number;
  readonly #random: () => number;
  #current: number;

  constructor(min: number, max: number, random: () => number) {
    this.#min = min;
    this.#max = max;
    this.#random = random;
    this.#current = min;
  }

  next(): number {
    const wait = this.#current * (1 - 0.25 * this.#random());
    this.#current = Math.min(this.#current * 2, this.#max);
    return wait;
  }

  reset(): void {
    this.#current = this.#min;
  }
}
