import type { Acl } from '../policy/acl.ts';
import type { Entity } from './identity-store.ts';
import type { Lease } from './lease.ts';
import type { TokenEntry } from './token-entry.ts';

/** Who makes a request. */
export interface RequestAuth {
  readonly token: TokenEntry;
  readonly lease: Lease | undefined;
  readonly acl: Acl;
  /** Whom the token stands for, if a login made it. */
  readonly entity?: Entity;
  /** Filled by the core for the audit record. */
  readonly clientToken: string;
}
