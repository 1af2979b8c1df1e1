/** What is kept of an entry; `bytes` says how much room it takes. */
interface Sized {
  readonly bytes: number;
}

/** Of an entry in memory, whatever its size. */
const entryBytes = 200;

/**
 * Entries by path, those that are asked for longer than others, in about so many bytes. Two generations: what was asked for
 * since the younger one began moves on into it, and the rest of the older one is forgotten at once. Finding the one
 * entry that has waited longest would cost a search among the places of those that are gone.
 */
export class EntryCache<T extends Sized> {
  readonly #perGeneration: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  #youngBytes = 0;

  constructor(bytes: number) {
    this.#perGeneration = bytes / 2;
  }

  get(path: string): T | undefined {
    const known = this.#young.get(path);
    if (known !== undefined) return known;
    const older = this.#old.get(path);
    if (older === undefined) return undefined;
    this.#old.delete(path);
    this.#add(path, older);
    return older;
  }

  set(path: string, entry: T): void {
    this.delete(path);
    this.#add(path, entry);
  }

  delete(path: string): void {
    const known = this.#young.get(path);
    if (known !== undefined) {
      this.#young.delete(path);
      this.#youngBytes -= known.bytes + entryBytes;
    } else this.#old.delete(path);
  }

  #add(path: string, entry: T): void {
    this.#young.set(path, entry);
    this.#youngBytes += entry.bytes + entryBytes;
    if (this.#youngBytes <= this.#perGeneration) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}
