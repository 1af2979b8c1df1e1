import type { Lease } from './lease.ts';
import type { Storage, StorageView, Transaction } from './storage.ts';
import { fromStoredLease, type StoredLease, toStoredLease } from './stored-lease.ts';

const root = 'sys/expire/';
const prefix = `${root}id/`;
const clockPath = `${root}clock`;
const timeDigits = 15;
const times = `${root}at/`;

/** Sorted by time: the leases that end first come first. */
const timePath = ({ id, expires, retry }: Lease): string =>
  `${times}${String(Math.floor(retry ?? expires)).padStart(timeDigits, '0')}/${id}`;
const tokenFolder = (key: string): string => `${root}token/${key}/`;

export interface LeaseTableOptions {
  readonly storage: Storage;
  /** Time that does not go back; milliseconds. */
  readonly now: () => number;
  /** Tells the engine of a leased secret that it ends; part of the same transaction. */
  readonly revokeSecret: (transaction: Transaction, lease: Lease) => void;
}

/**
 * Leases by id, by token and by time. They live in the store alone, so that what it costs to open, and what one of them
 * costs, does not depend on how many there are.
 */
export class LeaseTable {
  readonly #storage: Storage;
  readonly #options: LeaseTableOptions;
  #size: number | undefined;

  constructor(options: LeaseTableOptions) {
    this.#storage = options.storage;
    this.#options = options;
  }

  /** The time by which leases are made and end. */
  now(): number {
    return this.#options.now();
  }

  /** How many there are; counted when it is first asked for. */
  get size(): number {
    this.#size ??= this.#storage.count(prefix);
    return this.#size;
  }

  /** As committed, or as a transaction sees it. */
  get(id: string, store: StorageView = this.#storage.begin(false)): Lease | undefined {
    const stored = store.get<StoredLease>(prefix + id);
    return stored === undefined ? undefined : fromStoredLease(id, stored);
  }

  /** Names below `folder` (empty or ending in a slash), folders with a slash behind, sorted. */
  list(folder: string): string[] {
    return this.#storage.begin(false).list(prefix + folder);
  }

  /** The ids that start with `text`. */
  ids(text = ''): string[] {
    const folder = text.slice(0, text.lastIndexOf('/') + 1);
    const found = this.#storage.begin(false).all(prefix + folder);
    return found.map((rest) => folder + rest).filter((id) => id.startsWith(text));
  }

  /** The leased secrets of a token; not its own lease. */
  ofToken(store: StorageView, key: string): Lease[] {
    return store.all(tokenFolder(key)).flatMap((id) => this.get(id, store) ?? []);
  }

  /** Leases whose time has come, at most `limit`, the longest due first. */
  due(now: number, limit: number): Lease[] {
    const found: Lease[] = [];
    for (const name of this.#storage.ordered(times)) {
      if (found.length === limit || Number(name.slice(0, timeDigits)) > now) break;
      const lease = this.get(name.slice(timeDigits + 1));
      if (lease !== undefined) found.push(lease);
    }
    return found;
  }

  put(transaction: Transaction, lease: Lease): void {
    const before = this.get(lease.id, transaction);
    if (before !== undefined) transaction.delete(timePath(before));
    transaction.put(prefix + lease.id, toStoredLease(lease));
    transaction.put(timePath(lease), true);
    if (!lease.isToken) transaction.put(tokenFolder(lease.tokenKey) + lease.id, true);
    if (before === undefined) transaction.afterCommit(() => this.#count(1));
  }

  delete(transaction: Transaction, id: string): void {
    const lease = this.get(id, transaction);
    if (lease === undefined) return;
    transaction.delete(prefix + id);
    transaction.delete(timePath(lease));
    if (!lease.isToken) transaction.delete(tokenFolder(lease.tokenKey) + id);
    transaction.afterCommit(() => this.#count(-1));
  }

  /** @throws whatever the engine says when it cannot end the secret */
  revoke(transaction: Transaction, lease: Lease): void {
    this.#options.revokeSecret(transaction, lease);
    this.delete(transaction, lease.id);
  }

  #count(by: number): void {
    if (this.#size !== undefined) this.#size += by;
  }
}

/** Stages a new or renewed lease. */
export function putLease(transaction: Transaction, table: LeaseTable, lease: Lease): void {
  table.put(transaction, lease);
}

/** The latest time that a run of the store has noted down; milliseconds, 0 for none. */
export const readTime = (store: StorageView): number => store.get<number>(clockPath) ?? 0;

export const putTime = (store: StorageView, now: number): void => store.put(clockPath, now);
