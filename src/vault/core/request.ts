import type { Fields } from './fields.ts';

export type Operation = 'read' | 'create' | 'update' | 'patch' | 'delete' | 'list' | 'scan';

/** One call, already freed of HTTP: what a listener (or a test) hands to the core. */
export interface VaultRequest {
  readonly id: string;
  /** `create` is found out by the core: callers say `update`. */
  readonly operation: Operation;
  /** Behind `/v1/`, decoded, without leading slash. */
  readonly path: string;
  readonly token: string | undefined;
  readonly data: Fields;
  /** Seconds; undefined when no wrapping was asked for. */
  readonly wrapTtl: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What is too large to be fields (a snapshot); read by whoever handles the call. */
  readonly upload?: AsyncIterable<Uint8Array>;
  /** The chain that a TLS client showed, leaf first, DER; verified by nobody yet. */
  readonly peerCertificates?: () => readonly Buffer[];
}

export interface RawBody {
  readonly contentType: string;
  readonly body: Uint8Array | string;
}

/** Bytes of any length, sent as they come; they cannot be wrapped. */
export interface StreamBody {
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface AuthResult {
  readonly client_token: string;
  readonly accessor: string;
  readonly policies: readonly string[];
  readonly token_policies: readonly string[];
  readonly identity_policies?: readonly string[];
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Seconds. */
  readonly lease_duration: number;
  readonly renewable: boolean;
  readonly entity_id: string;
  readonly token_type: 'service' | 'batch';
  readonly orphan: boolean;
  readonly mfa_requirement: null;
  readonly num_uses: number;
}

/** What a handler gives back; nothing at all means 204 for writes and 404 for reads. */
export interface Result {
  readonly data?: Fields | null;
  readonly auth?: AuthResult;
  readonly leaseId?: string;
  /** Seconds. */
  readonly leaseDuration?: number;
  readonly renewable?: boolean;
  readonly warnings?: readonly string[];
  /** With `data`: the status that is not 200. */
  readonly status?: number;
  /** Sent as it is, without envelope. */
  readonly raw?: RawBody;
  readonly stream?: StreamBody;
  /** A whole envelope (sys/wrapping/unwrap). */
  readonly envelope?: Fields;
  /** The keys of `data` appear at the top of the envelope too. */
  readonly flatten?: boolean;
  /** `data` is the whole body: the calls of sealing know no envelope. */
  readonly bare?: boolean;
}

export interface Reply {
  readonly status: number;
  /** JSON, or undefined for an empty body. */
  readonly body?: unknown;
  readonly raw?: RawBody;
  readonly stream?: StreamBody;
  /** Beside those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}
