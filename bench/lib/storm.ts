/** What `agent-storm-process.ts` is told. */
export interface Storm {
  readonly agents: number;
  readonly address: string;
  readonly tokenFile: string;
  /** Go duration of `login_spread`. */
  readonly spread: string;
  readonly scratch: string;
  /** Secret that each agent renders. */
  readonly path: string;
}

export interface StormResult {
  /** Seconds from the start to each agent's login. */
  readonly logins: readonly number[];
}
