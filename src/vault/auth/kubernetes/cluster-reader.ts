/** A GET at an API server. */
export interface ClusterQuestion {
  readonly host: string;
  /** PEM of the only roots to trust; empty for a plain http host. */
  readonly caCert: string;
  /** Who asks; empty for nobody. */
  readonly bearer: string;
  readonly path: string;
}

/** Passed in by `server/`: this room opens no sockets. The answer's JSON; throws when it is no 2xx. */
export type ClusterReader = (question: ClusterQuestion) => Promise<unknown>;
