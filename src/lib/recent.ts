/** Remembers what was asked for last, a bounded number of it: what has not been asked for longest goes first. */
export class Recent<K, V> {
  readonly #most: number;
  readonly #known = new Map<K, V>();

  constructor(most: number) {
    this.#most = most;
  }

  /** What is remembered under `key`, or what `make` makes. @throws what `make` throws; that is not remembered */
  get(key: K, make: () => V): V {
    const found = this.#known.get(key);
    const value = found ?? make();
    this.#known.delete(key);
    this.#known.set(key, value);
    if (found === undefined && this.#known.size > this.#most) this.#forgetOldest();
    return value;
  }

  #forgetOldest(): void {
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
