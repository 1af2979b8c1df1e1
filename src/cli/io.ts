import type { Writable } from 'node:stream';

/** Everything a command may touch of the process it runs in; tests pass their own. */
export interface Io {
  /** Data. */
  readonly stdout: Writable;
  /** Progress and advice. */
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by SIGINT or SIGTERM (or by a test): finish cleanly. */
  readonly signal: AbortSignal;
  /** 0 done, 1 it found or refused something, 2 it could not run. */
  exitCode: number;
}
