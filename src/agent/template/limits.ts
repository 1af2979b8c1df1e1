/** What a template may use before it is stopped; upstream has no limit and hangs the agent. */
export interface TemplateLimits {
  /** Statements and expressions evaluated. */
  readonly steps: number;
  /** Bytes of output. */
  readonly outputBytes: number;
  /** Nested `template` calls. */
  readonly depth: number;
}

export const defaultLimits: TemplateLimits = { steps: 5_000_000, outputBytes: 64 * 1024 * 1024, depth: 500 };
