import { MeshrootError } from '../lib/errors.ts';

/** What a Vault refused, or why it could not be asked. `status` is undefined when there was no answer. */
export class VaultError extends MeshrootError {
  /** The server's own texts, in its order. */
  readonly errors: readonly string[];
  readonly method: string;
  readonly path: string;

  constructor(o: {
    readonly method: string;
    readonly path: string;
    readonly status?: number;
    readonly errors?: readonly string[];
    readonly code?: string;
    readonly message?: string;
    readonly hint?: string;
    readonly cause?: unknown;
  }) {
    const errors = o.errors ?? [];
    const hint = o.hint ?? (o.status === undefined ? undefined : hints[o.status]);
    super(o.code ?? codeFor(o.status), o.message ?? messageFor(o, errors), {
      exit: o.status === undefined || o.status >= 500 ? 2 : 1,
      ...(o.status === undefined ? {} : { status: o.status }),
      ...(hint === undefined ? {} : { hint }),
      ...(o.cause === undefined ? {} : { cause: o.cause }),
    });
    this.errors = errors;
    this.method = o.method;
    this.path = o.path;
  }
}

const hints: Readonly<Record<number, string>> = {
  403: 'check that the token is still valid and that its policies allow this path',
  503: 'unseal it: vault operator unseal (or meshroot vault unseal)',
};

const codes: Readonly<Record<number, string>> = {
  400: 'vault-bad-request',
  403: 'vault-denied',
  404: 'vault-not-found',
  405: 'vault-unsupported',
  412: 'vault-behind',
  429: 'vault-rate-limited',
  503: 'vault-sealed',
};

function codeFor(status: number | undefined): string {
  return status === undefined ? 'vault-unreachable' : (codes[status] ?? 'vault-failed');
}

function messageFor(
  o: { readonly method: string; readonly path: string; readonly status?: number },
  errors: readonly string[],
): string {
  const reason = errors.map(oneLine).join('; ');
  return `vault answered ${o.status ?? 'nothing'} to ${o.method} ${o.path}${reason === '' ? '' : `: ${reason}`}`;
}

/** Go's multi-error text (`1 error occurred:\n\t* x\n\n`) as people want to read it. */
function oneLine(text: string): string {
  return text
    .replace(/^\d+ errors? occurred:\s*/, '')
    .replace(/^\s*\* /gm, '')
    .trim()
    .replace(/\s*\n\s*/g, '; ');
}
