/** One request and what must come back. `{{x}}` in any text is replaced by a fixture or a saved value. */
export interface Step {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'LIST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  /** A saved name, `root` (default) or `none`. */
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** The exact `errors`. */
  readonly errors?: readonly string[];
  /** Must be contained in the answer. A function judges a value. */
  readonly body_has?: Expected;
  /** Must stand in the answer to the letter: for what is lost when JavaScript reads it. */
  readonly text_has?: string;
  /** Name → dotted path into the answer. */
  readonly save?: Readonly<Record<string, string>>;
  /** Milliseconds to let pass before. */
  readonly after?: number;
}

export type Expected = { readonly [key: string]: unknown };

export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Uses `{{unseal_key}}`: the one key share of a store of one. */
  readonly needsKey?: boolean;
  /** Changes or counts what belongs to the store as a whole: nothing else may run beside it. */
  readonly alone?: boolean;
  /** Where a server is not asked this, and why. */
  readonly skip?: { readonly openbao?: string; readonly meshroot?: string };
}

/** Vault's core wraps what it refuses itself. */
export const wrapped = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;
