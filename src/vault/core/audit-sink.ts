/** Takes lines. */
export interface LineSink {
  /** Throws or rejects when the line could not be written whole. */
  write(line: string): void | Promise<void>;
  /** Opens the file anew under its name (after log rotation), or connects anew. */
  reopen(): void;
  close(): void;
}

export interface AuditSocketOptions {
  /** `tcp` or `unix`. */
  readonly type: string;
  readonly address: string;
  /** Milliseconds for one line. */
  readonly timeout: number;
}

/** How sockets are reached; the core itself has no network. */
export type OpenAuditSocket = (options: AuditSocketOptions) => LineSink;
