import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listenOn } from './listen-address.ts';

export interface Page {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Pages by path, made anew for every GET. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

export interface PlainPages {
  /** The port that was really taken. */
  readonly port: number;
  /** `host:port`, an IPv6 address in brackets. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * A plain HTTP listener for probes and scrapes: GET and HEAD of a few fixed paths.
 * @param listen HOST:PORT, port 0 takes any free one
 * @throws MeshrootError `bad-address`, `cannot-listen`
 */
export async function servePages(listen: string, pages: Pages): Promise<PlainPages> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    const page = pages[(request.url ?? '').split('?')[0] ?? ''];
    if (page === undefined) return void response.writeHead(404).end(`try ${Object.keys(pages).join(', ')}\n`);
    Promise.resolve()
      .then(page)
      .then(
        ({ status = 200, type = 'text/plain; charset=utf-8', headers = {}, text }) =>
          response.writeHead(status, { 'content-type': type, ...headers }).end(text),
        () => response.writeHead(500).end(),
      );
  });
  const port = await listenOn(server, listen);
  const { address } = server.address() as AddressInfo;
  const host = address.includes(':') ? `[${address}]` : address;
  return { port, address: `${host}:${port}`, close: () => closeServer(server) };
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
