import type { TreeVisitor } from './lmdb-tree.ts';

const idBytes = 8;

/**
 * Judges the lists of free pages: LMDB writes to whatever stands there. A list is a count and so many numbers of 8 bytes:
 * a page, or less than none and the first of so many pages side by side, or 0 for a place that is not used.
 * @param take notes a page as taken; false if it is one of an entry, free already, or none of the file
 */
export class FreeListVisitor implements TreeVisitor {
  readonly summed = false;
  readonly #take: (page: number) => boolean;
  readonly #newest: bigint;
  readonly #wrong: (what: string) => Error;
  #previous = 0n;
  #signpost = 0n;
  /** After everything that entries need has been taken. */
  readonly #lists: Buffer[] = [];

  constructor(newest: bigint, take: (page: number) => boolean, wrong: (what: string) => Error) {
    this.#newest = newest;
    this.#take = take;
    this.#wrong = wrong;
  }

  /** Its key is the transaction that freed the pages. */
  entry(key: Buffer, stored: Buffer): void {
    const transaction = key.length === idBytes ? key.readBigUInt64LE() : 0n;
    const isInOrder = transaction > this.#previous && transaction >= this.#signpost;
    if (!isInOrder || transaction > this.#newest)
      throw this.#wrong('its lists of free pages are not in order');
    this.#previous = transaction;
    this.#lists.push(Buffer.from(stored));
  }

  signpost(key: Buffer): void {
    const transaction = key.length === idBytes ? key.readBigUInt64LE() : 0n;
    if (transaction <= this.#previous) throw this.#wrong('its lists of free pages are not in order');
    this.#signpost = transaction;
  }

  /** Once both trees have been walked. @throws MeshrootError `store-corrupt` */
  judge(): void {
    for (const list of this.#lists) this.#judge(list);
  }

  #judge(list: Buffer): void {
    const count = list.length < idBytes ? -1 : numberAt(list, 0);
    if (count < 0 || (count + 1) * idBytes > list.length)
      throw this.#wrong('a list of free pages is cut off');
    for (let i = 1; i <= count; i++) {
      const number = numberAt(list, i);
      if (number === 0) continue;
      const first = number > 0 ? number : i < count ? numberAt(list, ++i) : 0;
      for (let page = first; page < first + Math.max(1, -number); page++) {
        if (!this.#take(page)) throw this.#wrong(`page ${page} is said to be free and cannot be`);
      }
    }
  }
}

const numberAt = (list: Buffer, index: number): number =>
  list.readUInt32LE(index * idBytes) + list.readInt32LE(index * idBytes + 4) * 2 ** 32;
