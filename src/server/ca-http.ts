import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import { listenOn } from './listen-address.ts';

export interface CaHttp {
  readonly port: number;
  close(): Promise<void>;
}

/** istiod's two plain listeners in one: GET /metrics, and /ready (503 until the CA serves). */
export async function listenForScrapes(
  address: string,
  registry: Registry,
  ready: () => boolean,
): Promise<CaHttp> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    if (path === '/ready' || path === '/healthz') return void response.writeHead(ready() ? 200 : 503).end();
    if (path !== '/metrics') return void response.writeHead(404).end('try /metrics or /ready\n');
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  return { port: await listenOn(server, address), close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
