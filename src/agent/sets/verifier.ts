/** What a verifier found out about a set of files; never a secret. */
export interface Verdict {
  /** Why the set must not be delivered; empty when it may. */
  readonly refusals: readonly string[];
  /** Facts for the status file. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Judges files that are only good together, before any of them is delivered. */
export interface SetVerifier {
  readonly name: string;
  /** File names that form the set when a configuration writes all of them to one folder. */
  readonly files: readonly string[];
  /** Loads what verifying needs, while there is something else to wait for. */
  prepare?(): void;
  verify(files: ReadonlyMap<string, Buffer>, now: number): Promise<Verdict>;
}
