import { MeshrootError } from '../lib/errors.ts';

/** The hint of an error as a field of a log line; nothing when it has none. */
export function hintField(error: unknown): { readonly hint?: string } {
  return error instanceof MeshrootError && error.hint !== undefined ? { hint: error.hint } : {};
}
