import type { Fields } from './fields.ts';

/** What the core counts; `server/` gives them to Prometheus. */
export interface Metrics {
  request(
    labels: { readonly mount: string; readonly operation: string; readonly status: number },
    ms: number,
  ): void;
  /** A refusal with its reason, which Vault's own answers and audit log do not tell. */
  denied(labels: { readonly mount: string; readonly role: string; readonly reason: string }): void;
  tokenCreated(labels: { readonly mount: string; readonly type: string }): void;
  auditFailure(): void;
  /** A request beyond the rate limit of this name. */
  limited(name: string): void;
  /** Prometheus text 0.0.4, or undefined when metrics are off. */
  text(): Promise<string | undefined>;
  /** The same as Vault's own JSON. */
  summary(): Promise<Fields>;
}

export const silentMetrics: Metrics = {
  request: () => {},
  denied: () => {},
  tokenCreated: () => {},
  auditFailure: () => {},
  limited: () => {},
  text: async () => undefined,
  summary: async () => ({ Gauges: [], Points: [], Counters: [], Samples: [] }),
};
