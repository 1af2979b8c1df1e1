import { ExpiryHeap } from './expiry-heap.ts';
import type { StorageView, Transaction } from './storage.ts';

/** Times in milliseconds. */
export interface Lease {
  readonly id: string;
  readonly path: string;
  readonly tokenKey: string;
  /** The lease of a token itself: its end is the token's. */
  readonly isToken: boolean;
  readonly issued: number;
  readonly expires: number;
  readonly renewable: boolean;
  readonly renewed?: number;
}

const prefix = 'sys/expire/id/';

/** All leases in memory, by id, by token and by time; the store has the truth. */
export class LeaseTable {
  readonly #leases = new Map<string, Lease>();
  readonly #byToken = new Map<string, Set<string>>();
  readonly #heap = new ExpiryHeap();

  /** Reads every lease after unsealing. */
  load(store: StorageView): void {
    for (const id of store.all(prefix)) {
      const lease = store.get<Lease>(prefix + id);
      if (lease !== undefined) this.set(lease);
    }
  }

  get size(): number {
    return this.#leases.size;
  }

  get(id: string): Lease | undefined {
    return this.#leases.get(id);
  }

  ids(): IterableIterator<string> {
    return this.#leases.keys();
  }

  ofToken(key: string): Lease[] {
    return [...(this.#byToken.get(key) ?? [])].flatMap((id) => this.#leases.get(id) ?? []);
  }

  set(lease: Lease): void {
    this.#leases.set(lease.id, lease);
    this.#heap.push(lease.expires, lease.id);
    const ids = this.#byToken.get(lease.tokenKey);
    if (ids === undefined) this.#byToken.set(lease.tokenKey, new Set([lease.id]));
    else ids.add(lease.id);
  }

  remove(id: string): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    this.#leases.delete(id);
    const ids = this.#byToken.get(lease.tokenKey);
    ids?.delete(id);
    if (ids?.size === 0) this.#byToken.delete(lease.tokenKey);
  }

  nextExpiry(): number | undefined {
    return this.#heap.next();
  }

  /** Leases whose time has come, at most `limit`; renewed and removed ones are passed over. */
  due(now: number, limit: number): Lease[] {
    const found: Lease[] = [];
    while (found.length < limit) {
      const id = this.#heap.popDue(now);
      if (id === undefined) break;
      const lease = this.#leases.get(id);
      if (lease !== undefined && lease.expires <= now) found.push(lease);
    }
    return found;
  }
}

/** Stages a new or renewed lease. */
export function putLease(transaction: Transaction, table: LeaseTable, lease: Lease): void {
  transaction.put(prefix + lease.id, lease);
  transaction.afterCommit(() => table.set(lease));
}

/** Stages the end of a lease. */
export function deleteLease(transaction: Transaction, table: LeaseTable, id: string): void {
  transaction.delete(prefix + id);
  transaction.afterCommit(() => table.remove(id));
}
