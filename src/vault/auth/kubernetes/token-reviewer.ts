/** One TokenReview to ask for. */
export interface ReviewQuestion {
  /** `https://host:port` of the API server. */
  readonly host: string;
  /** PEM of the only roots to trust; empty for a plain http host. */
  readonly caCert: string;
  /** Who asks. */
  readonly bearer: string;
  readonly token: string;
  readonly audiences: readonly string[];
}

/** What the API server found. */
export interface ReviewAnswer {
  readonly authenticated: boolean;
  readonly error: string;
  readonly username: string;
  readonly uid: string;
  readonly audiences: readonly string[];
}

/** Passed in by `server/`: this room opens no sockets. Throws when there is no answer. */
export type TokenReviewer = (question: ReviewQuestion) => Promise<ReviewAnswer>;

/** A file of the pod's own service account, undefined when there is none. */
export type ReadLocal = (name: 'ca.crt' | 'token') => string | undefined;
