import type { Registry } from 'prom-client';
import { type Page, servePages } from './plain-pages.ts';

/** Where a registry is served at /metrics. */
export interface MetricsEndpoint {
  /** With the port that was really taken. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `registry` at `http://<listen>/metrics`.
 * @param listen HOST:PORT; port 0 takes any
 * @throws MeshrootError `bad-address`, `cannot-listen`
 */
export async function serveMetrics(registry: Registry, listen: string): Promise<MetricsEndpoint> {
  const { address, close } = await servePages(listen, { '/metrics': metricsPage(registry) });
  return { url: `http://${address}/metrics`, close };
}

/** The page that Prometheus scrapes. */
export const metricsPage = (registry: Registry) => async (): Promise<Page> => ({
  type: registry.contentType,
  text: await registry.metrics(),
});
