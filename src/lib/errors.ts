/** Exit codes of every command: 1 = it found or refused something, 2 = it could not run. */
export type ExitCode = 1 | 2;

export interface MeshrootErrorOptions {
  /** How to mend it, with the exact command where there is one. */
  readonly hint?: string;
  readonly exit?: ExitCode;
  /** HTTP status for servers that answer with this error. */
  readonly status?: number;
  readonly cause?: unknown;
}

/**
 * A refusal: what (code, stable, kebab-case), why (message, one line, lower case) and how to mend it (hint).
 * The same object is shown by the command line, HTTP, gRPC and metrics. A message never holds a secret.
 */
export class MeshrootError extends Error {
  override readonly name = 'MeshrootError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly exit: ExitCode;
  readonly status: number | undefined;

  constructor(code: string, message: string, options: MeshrootErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.exit = options.exit ?? 2;
    this.status = options.status;
  }

  toJSON(): { code: string; message: string; hint?: string } {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** The text of anything that was thrown; never a stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a thrown Node or meshroot error (`ENOENT`, `port-taken`), or undefined. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
