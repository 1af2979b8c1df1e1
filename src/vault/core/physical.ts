/** `value` undefined deletes. */
export interface PhysicalChange {
  readonly key: string;
  readonly value: Uint8Array | undefined;
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
  close(): Promise<void>;
}
