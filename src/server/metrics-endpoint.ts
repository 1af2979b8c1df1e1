import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { codeOf, MeshrootError } from '../lib/errors.ts';

/** Where a registry is served at /metrics. */
export interface MetricsEndpoint {
  /** With the port that was really taken. */
  readonly url: string;
  close(): void;
}

/**
 * Serves `registry` at `http://<listen>/metrics`.
 * @param listen host:port; port 0 takes any
 * @throws MeshrootError `port-taken`, `bad-address`
 */
export async function serveMetrics(registry: Registry, listen: string): Promise<MetricsEndpoint> {
  const match = /^(.+):(\d+)$/.exec(listen);
  if (match === null) {
    throw new MeshrootError('bad-address', `"${listen}" is not HOST:PORT`, {
      hint: 'for example: 127.0.0.1:9464',
    });
  }
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await listening(server, Number(match[2]), match[1] ?? '', listen);
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}/metrics`,
    close: () => closeNow(server),
  };
}

function listening(server: Server, port: number, host: string, listen: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(codeOf(error) === 'EADDRINUSE' ? taken(listen, error) : error));
    server.listen(port, host.replace(/^\[|\]$/g, ''), resolve);
  });
}

function closeNow(server: Server): void {
  server.close();
  server.closeAllConnections();
}

const taken = (listen: string, cause: Error): MeshrootError =>
  new MeshrootError('port-taken', `${listen} is taken by another program`, {
    hint: 'choose another with --listen',
    cause,
  });
