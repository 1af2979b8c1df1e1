import { MeshrootError } from '../lib/errors.ts';

/** gRPC status codes of the refusals of the certificate service: clients decide by them whether to try again. */
export const grpcCodes = {
  'bad-csr': 3,
  'ttl-too-long': 3,
  'token-used': 7,
  overloaded: 8,
  'bad-message': 13,
  internal: 13,
  'signing-failed': 13,
  'reviewer-unavailable': 14,
  'signer-unavailable': 14,
  'join-unavailable': 14,
  'csr-not-allowed': 16,
  unauthenticated: 16,
  'impersonation-refused': 16,
} as const;

export type RefusalCode = keyof typeof grpcCodes;

/** A refusal with the words istiod uses towards clients; `reason` is for the log only. */
export class CaRefusal extends MeshrootError {
  declare readonly code: RefusalCode;
  readonly reason: string;

  constructor(code: RefusalCode, message: string, reason = message) {
    super(code, message, { exit: 1 });
    this.reason = reason;
  }

  get grpcCode(): number {
    return grpcCodes[this.code];
  }
}

/** Who cannot be told apart from anybody is told nothing but this. */
export function unauthenticated(reason: string): CaRefusal {
  return new CaRefusal('unauthenticated', 'request authenticate failure', reason);
}

export function badCsr(reason: string): CaRefusal {
  return new CaRefusal('bad-csr', `CSR signing error (${reason})`);
}
