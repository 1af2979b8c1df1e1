import { MeshrootError } from '../../lib/errors.ts';

/**
 * An answer that says no, in Vault's words. `code` is ours (stable, kebab-case; counted in metrics and logged, since
 * Vault's own texts often hide the reason on purpose), `errors` is what goes over the wire.
 */
export class Refusal extends MeshrootError {
  readonly errors: readonly string[];

  constructor(status: number, code: string, errors: readonly string[], reason?: string) {
    super(code, reason ?? errors[0] ?? code, { status, exit: 1 });
    this.errors = errors;
  }
}

/** Go's multi-error, which Vault's core wraps around what it refuses itself. */
export const multiError = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;

/** A plain text with its status: 400 unless told otherwise. */
export function refuse(text: string, status = 400, code = 'bad-request'): Refusal {
  return new Refusal(status, code, [text]);
}

/** The text as a multi-error. */
export function refuseWrapped(text: string, status: number, code: string): Refusal {
  return new Refusal(status, code, [multiError(text)], text);
}

/** 403 without the reason on the wire; the reason goes to the log and the metrics. */
export function denied(code: string, reason: string): Refusal {
  return new Refusal(403, code, ['permission denied'], reason);
}

export const nothingHere = (): Refusal => new Refusal(404, 'not-found', [], 'nothing at this path');
