import type { Barrier } from './barrier.ts';
import { EntryCache } from './entry-cache.ts';
import { PathTree } from './path-tree.ts';
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
  /** How much room it takes on disk, as a measure of what it takes in memory. */
  readonly bytes: number;
}

const absent: Entry = { value: undefined, bytes: 0 };
const cacheBytes = 12 * 1024 * 1024;

/**
 * The decrypted store: JSON by path, a cache of parsed values, and transactions with optimistic concurrency. What is
 * committed is seen by all at once and acknowledged when it is on disk.
 */
export class Storage {
  readonly #physical: Physical;
  readonly #barrier: Barrier;
  readonly #onFailure: (error: unknown) => void;
  readonly #cache = new EntryCache<Entry>(cacheBytes);
  /** Committed, not yet on disk. */
  readonly #pending = new Map<string, Entry>();
  readonly #pendingTree = new PathTree();

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
    if (blob === undefined) return absent;
    const value: unknown = JSON.parse(this.#barrier.decrypt(path, blob).toString('utf8'));
    const entry = { value, bytes: blob.length };
    this.#cache.set(path, entry);
    return entry;
  }

  /** Every path below `folder` (empty or ending in a slash), in no order. */
  *keys(folder: string): Iterable<string> {
    for (const path of this.#physical.keys(folder)) if (!this.#pending.has(path)) yield path;
    for (const path of this.#pendingTree.below(folder)) {
      if (this.#pending.get(path)?.value !== undefined) yield path;
    }
  }

  /** Adds the names below `folder` for which `isThere`; a child folder is passed over once its name is known. */
  addNames(names: Set<string>, folder: string, isThere: (path: string) => boolean): void {
    let from: string | undefined = folder;
    while (from !== undefined) from = this.#addUpToFolder(names, folder, from, isThere);
    for (const path of this.#pendingTree.below(folder)) {
      if (this.#pending.get(path)?.value !== undefined && isThere(path)) names.add(nameIn(folder, path));
    }
  }

  /** @returns where to go on after a child folder; undefined at the end */
  #addUpToFolder(
    names: Set<string>,
    folder: string,
    from: string,
    isThere: (path: string) => boolean,
  ): string | undefined {
    for (const path of this.#physical.keys(folder, from)) {
      if (this.#pending.has(path) || !isThere(path)) continue;
      const name = nameIn(folder, path);
      names.add(name);
      if (name.endsWith('/')) return `${folder}${name.slice(0, -1)}${afterSlash}`;
    }
    return undefined;
  }

  /** The paths below `folder` in order, without it. What is not yet on disk is left out, as is what is gone. */
  *ordered(folder: string): Iterable<string> {
    for (const path of this.#physical.keys(folder)) {
      if (!this.#pending.has(path)) yield path.slice(folder.length);
    }
  }

  /** How many paths there are below `folder`. */
  count(folder: string): number {
    let count = this.#physical.count(folder);
    for (const path of this.#pendingTree.below(folder)) {
      const isOnDisk = this.#physical.get(path) !== undefined;
      count += Number(this.#pending.get(path)?.value !== undefined) - Number(isOnDisk);
    }
    return count;
  }

  /** Applies all or nothing; the promise resolves when it is durable. `plain` is written beside it as it is. */
  async write(changes: ReadonlyMap<string, Entry>, plain: readonly PhysicalChange[] = []): Promise<void> {
    const entries = [...changes].map(([key, { value }]) => this.#sealed(key, value));
    for (const { key, entry } of entries) {
      this.#pending.set(key, entry);
      this.#pendingTree.add(key);
    }
    const physical = [...plain, ...entries.map(({ key, blob }) => ({ key, value: blob }))];
    if (physical.length === 0) return;
    try {
      await this.#physical.commit(physical);
    } catch (error) {
      this.#onFailure(error); // memory now says more than the disk: the store seals itself
      throw error;
    }
    for (const { key, entry } of entries) {
      if (this.#pending.get(key) !== entry) continue;
      this.#pending.delete(key);
      this.#pendingTree.delete(key);
      if (entry.value === undefined) this.#cache.delete(key);
      else this.#cache.set(key, entry);
    }
  }

  #sealed(key: string, value: unknown): { key: string; entry: Entry; blob: Buffer | undefined } {
    if (value === undefined) return { key, entry: { ...absent }, blob: undefined };
    const blob = this.#barrier.encrypt(key, Buffer.from(JSON.stringify(value)));
    return { key, entry: { value, bytes: blob.length }, blob };
  }
}

/** The character after the slash: where the keys of a folder end. */
const afterSlash = '0';

/** The first segment of `path` below `folder`, with its slash if there is more. */
function nameIn(folder: string, path: string): string {
  const slash = path.indexOf('/', folder.length);
  return slash === -1 ? path.slice(folder.length) : path.slice(folder.length, slash + 1);
}

/** Reads and staged writes of one request. */
export class Transaction implements StorageView {
  readonly #storage: Storage;
  readonly #reads: Map<string, unknown> | undefined;
  readonly #changes = new Map<string, Entry>();
  readonly #tree = new PathTree();
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
    this.#changes.set(path, { value, bytes: 0 });
    this.#tree.add(path);
  }

  delete(path: string): void {
    this.#changes.set(path, absent);
    this.#tree.add(path);
  }

  all(prefix: string): string[] {
    const found: string[] = [];
    for (const path of this.#storage.keys(prefix)) if (!this.#changes.has(path)) found.push(path);
    for (const path of this.#tree.below(prefix)) {
      if (this.#changes.get(path)?.value !== undefined) found.push(path);
    }
    return found.map((path) => path.slice(prefix.length));
  }

  list(prefix: string): string[] {
    const names = new Set<string>();
    this.#storage.addNames(names, prefix, (path) => !this.#changes.has(path));
    for (const path of this.#tree.below(prefix)) {
      if (this.#changes.get(path)?.value !== undefined) names.add(nameIn(prefix, path));
    }
    return [...names].sort();
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
