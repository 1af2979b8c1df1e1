/** Times in milliseconds. */
export interface Lease {
  readonly id: string;
  readonly path: string;
  readonly tokenKey: string;
  /** The lease of a token itself: its end is the token's. */
  readonly isToken: boolean;
  readonly issued: number;
  readonly expires: number;
  readonly renewable: boolean;
  readonly renewed?: number;
  /** What the engine that made it needs to end it or to renew it. */
  readonly secret?: Readonly<Record<string, string>>;
  /** When to try again, after its end has failed. */
  readonly retry?: number;
}
