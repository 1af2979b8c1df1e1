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
  /** Prometheus text 0.0.4, or undefined when metrics are off. */
  text(): Promise<string | undefined>;
}

export const silentMetrics: Metrics = {
  request: () => {},
  denied: () => {},
  tokenCreated: () => {},
  auditFailure: () => {},
  text: async () => undefined,
};
