/** `value` undefined deletes. */
export interface PhysicalChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface PhysicalEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface PhysicalSnapshot {
  /** From the first key to the last; may be read more than once. */
  entries(): Iterable<PhysicalEntry>;
  close(): void;
}

/**
 * What keeps bytes: it sees ciphertext and paths, never a secret. Reads are synchronous (memory or memory-mapped),
 * commits are atomic, and their promise resolves only when the change survives a loss of power.
 */
export interface Physical {
  /** Vault's name of the kind, as sys/seal-status shows it. */
  readonly type: string;
  get(key: string): Uint8Array | undefined;
  /** The keys with this prefix in order, beginning at `from` if given. Read lazily: stop early, pay for little. */
  keys(prefix: string, from?: string): Iterable<string>;
  count(prefix: string): number;
  commit(changes: readonly PhysicalChange[]): Promise<void>;
  /** All there is at this moment, however long the reading takes and whatever is written meanwhile. */
  snapshot(): PhysicalSnapshot;
  /** Puts `entries` in the place of everything, whole or not at all. They are read while it works. */
  replaceAll(entries: Iterable<PhysicalEntry>): Promise<void>;
  /** Where a large upload may wait on disk; undefined when nothing is on disk. */
  readonly folder: string | undefined;
  close(): Promise<void>;
}
