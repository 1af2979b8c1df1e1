const mostInChunk = 512;

/** Texts in order, in chunks: one more of very many moves only those of its own chunk. */
export class SortedKeys {
  #chunks: string[][] = [[]];

  add(key: string): void {
    const { index, chunk, at } = this.#place(key);
    if (chunk[at] === key) return;
    chunk.splice(at, 0, key);
    if (chunk.length > mostInChunk) this.#chunks.splice(index + 1, 0, chunk.splice(mostInChunk / 2));
  }

  delete(key: string): void {
    const { index, chunk, at } = this.#place(key);
    if (chunk[at] !== key) return;
    chunk.splice(at, 1);
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(index, 1);
  }

  clear(): void {
    this.#chunks = [[]];
  }

  /** Those that are not less than `key`, in order. */
  *from(key: string): Iterable<string> {
    const { index, at } = this.#place(key);
    for (let i = index; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i] ?? [];
      for (let k = i === index ? at : 0; k < chunk.length; k++) yield chunk[k] ?? '';
    }
  }

  /** Where `key` stands or would stand: in the last chunk that does not begin behind it. */
  #place(key: string): { readonly index: number; readonly chunk: string[]; readonly at: number } {
    const behind = search(this.#chunks.length, (i) => (this.#chunks[i]?.[0] ?? '') <= key);
    const index = Math.max(0, behind - 1);
    const chunk = this.#chunks[index] ?? [];
    return { index, chunk, at: search(chunk.length, (i) => (chunk[i] ?? '') < key) };
  }
}

/** The first index from 0 to `length` for which `isBefore` is not true. */
function search(length: number, isBefore: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
