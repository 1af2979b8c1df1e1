import type { Found } from './found-certificates.ts';
import type { ScanFinding, ScanInput } from './input.ts';

export interface RuleContext {
  readonly input: ScanInput;
  /** Every different certificate once, with all places where it stands. */
  readonly found: readonly Found[];
  readonly now: number;
}

export interface Rule {
  /** Codes that it can report; stable, tools rely on them. */
  readonly codes: readonly string[];
  readonly judge: (context: RuleContext) => ScanFinding[];
}
