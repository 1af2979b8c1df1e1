import type { GoStruct } from '../template/values.ts';

/** A key with its certificates, as templates see it. */
export interface FetchedPems {
  readonly kind: 'pems';
  readonly value: GoStruct;
  /** When it is to be replaced, in milliseconds since the epoch. */
  readonly renewAt: number;
  /** Differs when anything in it does. Holds the key: never for a log. */
  readonly text: string;
}
