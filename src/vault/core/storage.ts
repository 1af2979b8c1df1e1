import type { Barrier } from './barrier.ts';
import type { Physical, PhysicalChange } from './physical.ts';

/** A part of the store, seen through a transaction. Values are JSON; what `get` returns must not be changed. */
export interface StorageView {
  /** `T` is the reader's word for what this same code wrote; the barrier vouches that nobody else did. */
  get<T>(path: string): T | undefined;
  put(path: string, value: unknown): void;
  delete(path: string): void;
  /** Names below `prefix` (empty or ending in a slash), folders with a slash behind, sorted. */
  list(prefix: string): string[];
  /** Every path below `prefix`. */
  all(prefix: string): string[];
  at(prefix: string): StorageView;
}

interface Entry {
  readonly value: unknown;
}

const absent: Entry = { value: undefined };
const cacheEntries = 20_000;

/**
 * The decrypted store: JSON by path, an LRU of parsed values, and transactions with optimistic concurrency. What is
 * committed is seen by all at once and acknowledged when it is on disk.
 */
export class Storage {
  readonly #physical: Physical;
  readonly #barrier: Barrier;
  readonly #onFailure: (error: unknown) => void;
  readonly #cache = new Map<string, Entry>();
  /** Committed, not yet on disk. */
  readonly #pending = new Map<string, Entry>();

  constructor(physical: Physical, barrier: Barrier, onFailure: (error: unknown) => void) {
    this.#physical = physical;
    this.#barrier = barrier;
    this.#onFailure = onFailure;
  }

  /** `tracked`: remembers what was read, so that `commit` can see whether it is still so. */
  begin(tracked: boolean): Transaction {
    return new Transaction(this, tracked);
  }

  entry(path: string): Entry {
    const known = this.#pending.get(path) ?? this.#cache.get(path);
    if (known !== undefined) return known;
    const blob = this.#physical.get(path);
    const entry =
      blob === undefined ? absent : { value: JSON.parse(this.#barrier.decrypt(path, blob).toString('utf8')) };
    if (blob !== undefined) this.#remember(path, entry);
    return entry;
  }

  keys(prefix: string): string[] {
    const keys = new Set(this.#physical.keys(prefix));
    for (const [path, { value }] of this.#pending) {
      if (!path.startsWith(prefix)) continue;
      if (value === undefined) keys.delete(path);
      else keys.add(path);
    }
    return [...keys];
  }

  /** Applies all or nothing; the promise resolves when it is durable. `plain` is written beside it as it is. */
  async write(changes: ReadonlyMap<string, Entry>, plain: readonly PhysicalChange[] = []): Promise<void> {
    const physical: PhysicalChange[] = [...plain];
    for (const [key, entry] of changes) {
      this.#pending.set(key, entry);
      const value =
        entry.value === undefined
          ? undefined
          : this.#barrier.encrypt(key, Buffer.from(JSON.stringify(entry.value)));
      physical.push({ key, value });
    }
    if (physical.length === 0) return;
    try {
      await this.#physical.commit(physical);
    } catch (error) {
      this.#onFailure(error); // memory now says more than the disk: the store seals itself
      throw error;
    }
    for (const [key, entry] of changes) {
      if (this.#pending.get(key) !== entry) continue;
      this.#pending.delete(key);
      if (entry.value === undefined) this.#cache.delete(key);
      else this.#remember(key, entry);
    }
  }

  #remember(path: string, entry: Entry): void {
    this.#cache.delete(path);
    this.#cache.set(path, entry);
    if (this.#cache.size <= cacheEntries) return;
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest);
      return;
    }
  }
}

/** Reads and staged writes of one request. */
export class Transaction implements StorageView {
  readonly #storage: Storage;
  readonly #reads: Map<string, unknown> | undefined;
  readonly #changes = new Map<string, Entry>();
  readonly #afterCommit: (() => void)[] = [];

  constructor(storage: Storage, tracked: boolean) {
    this.#storage = storage;
    this.#reads = tracked ? new Map() : undefined;
  }

  get<T>(path: string): T | undefined {
    const staged = this.#changes.get(path);
    if (staged !== undefined) return staged.value as T | undefined;
    const { value } = this.#storage.entry(path);
    this.#reads?.set(path, value);
    return value as T | undefined;
  }

  put(path: string, value: unknown): void {
    this.#changes.set(path, { value });
  }

  delete(path: string): void {
    this.#changes.set(path, absent);
  }

  all(prefix: string): string[] {
    const keys = new Set(this.#storage.keys(prefix));
    for (const [path, { value }] of this.#changes) {
      if (!path.startsWith(prefix)) continue;
      if (value === undefined) keys.delete(path);
      else keys.add(path);
    }
    return [...keys].map((key) => key.slice(prefix.length));
  }

  list(prefix: string): string[] {
    const names = this.all(prefix).map((rest) => {
      const slash = rest.indexOf('/');
      return slash === -1 ? rest : rest.slice(0, slash + 1);
    });
    return [...new Set(names)].sort();
  }

  at(prefix: string): StorageView {
    return new Subview(this, prefix);
  }

  /** Runs right after the change became visible: for tables kept in memory. */
  afterCommit(work: () => void): void {
    this.#afterCommit.push(work);
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0 && this.#afterCommit.length === 0;
  }

  /** Undefined when something that was read has changed since: nothing was written, run again. */
  commit(plain: readonly PhysicalChange[] = []): Promise<void> | undefined {
    for (const [path, value] of this.#reads ?? []) {
      if (this.#storage.entry(path).value !== value && !sameJson(this.#storage.entry(path).value, value)) {
        return undefined;
      }
    }
    const written = this.#storage.write(this.#changes, plain);
    for (const work of this.#afterCommit) work();
    return written;
  }
}

/** An entry that fell out of the cache in between is parsed anew: equal, not identical. */
const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

class Subview implements StorageView {
  readonly #parent: StorageView;
  readonly #prefix: string;

  constructor(parent: StorageView, prefix: string) {
    this.#parent = parent;
    this.#prefix = prefix;
  }

  get<T>(path: string): T | undefined {
    return this.#parent.get<T>(this.#prefix + path);
  }

  put(path: string, value: unknown): void {
    this.#parent.put(this.#prefix + path, value);
  }

  delete(path: string): void {
    this.#parent.delete(this.#prefix + path);
  }

  list(prefix: string): string[] {
    return this.#parent.list(this.#prefix + prefix);
  }

  all(prefix: string): string[] {
    return this.#parent.all(this.#prefix + prefix);
  }

  at(prefix: string): StorageView {
    return new Subview(this.#parent, this.#prefix + prefix);
  }
}
