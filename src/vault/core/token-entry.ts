/** A token at rest: never the token itself. Times in milliseconds. */
export interface TokenEntry {
  readonly key: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  /** The path that made it. */
  readonly path: string;
  readonly meta: Readonly<Record<string, string>> | null;
  readonly displayName: string;
  /** 0 = as often as wanted. */
  readonly numUses: number;
  /** Key of the parent; empty for orphans. */
  readonly parent: string;
  readonly created: number;
  readonly ttl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly renewable: boolean;
  readonly role?: string;
  readonly boundCidrs: readonly string[];
  readonly noDefaultPolicy?: boolean;
  /** Empty for tokens without an end (root). */
  readonly leaseId: string;
  /** Absent for service tokens. A batch token is not stored: it carries all this itself. */
  readonly type?: 'batch';
  /** When a batch token ends; others have a lease. */
  readonly expires?: number;
  readonly entityId?: string;
  /** What the method that made it wants to see again at renewal. */
  readonly login?: Readonly<Record<string, string>>;
  /** A wrapping token: only unwrapping may use it. */
  readonly wrapping?: { readonly path: string; readonly ttl: number };
}

export type NewToken = Omit<TokenEntry, 'key' | 'accessor' | 'created' | 'leaseId'> & {
  readonly id?: string;
};
