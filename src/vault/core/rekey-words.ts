/** The same ceremony has two names upstream: without a token (sys/rekey) and with one (sys/rotate/root). */
export interface RekeyWords {
  readonly invalid: string;
  /** Of the answer to shares that cannot be. */
  readonly invalidStatus: number;
  readonly busy: string;
  readonly none: string;
  readonly nothing: string;
  readonly noneToVerify: string;
  readonly notVerifying: string;
  readonly duplicate: string;
  readonly finished: string;
  readonly nonce: string;
  readonly unproven: string;
}

export const rekeyWords: RekeyWords = {
  invalid: 'invalid rekey seal configuration',
  invalidStatus: 500,
  busy: 'rekey already in progress',
  none: 'no barrier rekey in progress',
  nothing: 'no rekey configuration found',
  noneToVerify: 'no rekey in progress',
  notVerifying: 'no rekey verification in progress',
  duplicate: 'given key has already been provided during this generation operation',
  finished: 'rekey operation already finished',
  nonce: 'rekey operation',
  unproven: 'rekey verification failed; incorrect key shares supplied',
};

export const rotationWords: RekeyWords = {
  invalid: 'invalid rotate seal configuration',
  invalidStatus: 400,
  busy: 'rotation already in progress',
  none: 'no rotation in progress',
  nothing: 'no rotation configuration found',
  noneToVerify: 'no rotation in progress',
  notVerifying: 'no rotation verification in progress',
  duplicate: 'given key has already been provided during this rotation',
  finished: 'rotation already finished',
  nonce: 'rotation',
  unproven: 'rotation verification failed; incorrect key shares supplied',
};
