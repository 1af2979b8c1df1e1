interface Item {
  readonly at: number;
  readonly id: string;
}

/** A binary heap of (time, id), earliest first. An id may stand in it more than once: the reader checks what is true. */
export class ExpiryHeap {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(at: number, id: string): void {
    const items = this.#items;
    let i = items.push({ at, id }) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#at(parent) <= at) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** The earliest time, or undefined when empty. */
  next(): number | undefined {
    return this.#items[0]?.at;
  }

  /** Takes out the earliest id if it is due. */
  popDue(now: number): string | undefined {
    const [first] = this.#items;
    if (first === undefined || first.at > now) return undefined;
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last;
      this.#sink();
    }
    return first.id;
  }

  #sink(): void {
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const smaller = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(smaller) >= this.#at(i)) return;
      this.#swap(i, smaller);
      i = smaller;
    }
  }

  #at(i: number): number {
    return this.#items[i]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#items[a], this.#items[b]];
    if (x !== undefined && y !== undefined) [this.#items[a], this.#items[b]] = [y, x];
  }
}
