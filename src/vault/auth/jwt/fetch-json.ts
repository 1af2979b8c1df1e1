/** A document at a provider. */
export interface FetchQuestion {
  readonly url: string;
  /** PEM of the only roots to trust; empty for the system's. */
  readonly caPem: string;
}

/** Passed in by `server/`: this room opens no sockets. The answer's JSON. Throws when there is no good answer. */
export type FetchJson = (question: FetchQuestion) => Promise<unknown>;
