import type { Registry } from 'prom-client';
import type { TrustSet } from '../istio/ca-signer.ts';
import { spiffeBundle } from '../istio/ca-trust-bundle.ts';
import { metricsPage } from './metrics-endpoint.ts';
import { type PlainPages, servePages } from './plain-pages.ts';

export interface Scraped {
  readonly registry: Registry;
  readonly ready: () => boolean;
  readonly trust: () => TrustSet;
  readonly now: () => number;
}

/** istiod's two plain listeners in one: GET /metrics, /ready (503 until the CA serves), and the roots as a SPIFFE bundle. */
export async function listenForScrapes(
  address: string,
  { registry, ready, trust, now }: Scraped,
): Promise<PlainPages> {
  const bundle = bundleOf(trust, now);
  const probe = () => (ready() ? { text: 'ok\n' } : { status: 503, text: 'not serving yet\n' });
  return servePages(address, {
    '/metrics': metricsPage(registry),
    '/ready': probe,
    '/healthz': probe,
    '/trust-bundle': () => ({
      type: 'application/json',
      headers: { 'cache-control': 'no-cache' },
      text: bundle(),
    }),
  });
}

/** The bundle as text; its sequence is the second in which these roots were seen first, so that it grows over restarts too. */
function bundleOf(trust: () => TrustSet, now: () => number): () => string {
  let known = { rootPem: '', text: '' };
  return () => {
    const { rootPem } = trust();
    if (rootPem !== known.rootPem)
      known = { rootPem, text: JSON.stringify(spiffeBundle(trust(), Math.floor(now() / 1000))) };
    return known.text;
  };
}
