import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import type { TrustSet } from '../istio/ca-signer.ts';
import { spiffeBundle } from '../istio/ca-trust-bundle.ts';
import { listenOn } from './listen-address.ts';

export interface CaHttp {
  readonly port: number;
  close(): Promise<void>;
}

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
): Promise<CaHttp> {
  const bundle = bundleOf(trust, now);
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    if (path === '/ready' || path === '/healthz') return void response.writeHead(ready() ? 200 : 503).end();
    if (path === '/trust-bundle') {
      const type = { 'content-type': 'application/json', 'cache-control': 'no-cache' };
      return void response.writeHead(200, type).end(bundle());
    }
    if (path !== '/metrics')
      return void response.writeHead(404).end('try /metrics, /ready or /trust-bundle\n');
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  return { port: await listenOn(server, address), close: () => closeServer(server) };
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

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
