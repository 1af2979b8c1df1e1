import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../lib/clock.ts';
import type { Secret } from '../../lib/secret.ts';
import type { ContainerLog, LogQuery } from './container-log.ts';

export interface KubeletTls {
  /** PEM, for 127.0.0.1. */
  readonly certificate: string;
  readonly key: Secret<string>;
  /** PEM; only clients with a certificate of this authority are answered. */
  readonly clientCa: string;
}

/** Who asks, by the client certificate. */
export interface Client {
  readonly user: string;
  readonly groups: readonly string[];
}

export interface LogServerOptions {
  readonly tls: KubeletTls;
  readonly clock: Clock;
  /** The log, or the reason why there is none. */
  readonly find: (
    namespace: string,
    pod: string,
    container: string,
    previous: boolean,
  ) => ContainerLog | string;
  readonly authorize: (client: Client) => Promise<boolean>;
  readonly port?: number | undefined;
}

/** The kubelet's HTTPS API, of which the API server needs `/containerLogs/NS/POD/CONTAINER` and `/healthz`. */
export async function startLogServer(
  options: LogServerOptions,
): Promise<{ port: number; close(): Promise<void> }> {
  const { certificate, key, clientCa } = options.tls;
  const server = createServer(
    {
      cert: certificate,
      key: key.reveal(),
      ca: clientCa,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    },
    (request, response) => {
      answer(options, request, response).catch(() => response.destroy());
    },
  );
  server.on('tlsClientError', () => {}); // no certificate, or a stranger's: the handshake has already said no
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  options: LogServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://kubelet');
  if (request.method !== 'GET') return text(response, 405, 'method not allowed');
  if (url.pathname === '/healthz') return text(response, 200, 'ok');
  const match = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(url.pathname);
  if (match === null) return text(response, 404, '404 page not found');
  const client = clientOf(request.socket as TLSSocket); // the server is a TLS server
  if (!(await options.authorize(client))) {
    return text(
      response,
      403,
      `Forbidden (user=${client.user}, verb=get, resource=nodes, subresource=proxy)`,
    );
  }
  const [namespace, pod, container] = match.slice(1).map(decodeURIComponent);
  const previous = url.searchParams.get('previous') === 'true';
  const log = options.find(namespace ?? '', pod ?? '', container ?? '', previous);
  if (typeof log === 'string') return text(response, log.startsWith('pod ') ? 404 : 400, log);
  stream(log, parseQuery(url.searchParams, options.clock.now()), response);
}

function stream(log: ContainerLog, query: LogQuery, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  const stop = log.read(query, (line) => {
    if (line === undefined) response.end();
    else response.write(line);
  });
  response.once('close', stop);
}

export function parseQuery(query: URLSearchParams, now: number): LogQuery {
  const number = (name: string): number | undefined => {
    const value = query.get(name);
    return value !== null && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = Date.parse(query.get('sinceTime') ?? '');
  const since = sinceSeconds !== undefined ? now - sinceSeconds * 1000 : sinceTime;
  return {
    follow: query.get('follow') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tailLines: number('tailLines'),
    since: Number.isNaN(since) ? undefined : since,
    limitBytes: number('limitBytes'),
  };
}

function clientOf(socket: TLSSocket): Client {
  const subject: Partial<Record<'CN' | 'O', string | string[]>> = socket.getPeerCertificate().subject ?? {};
  const list = (value: string | string[] | undefined): string[] =>
    value === undefined ? [] : [value].flat();
  return { user: list(subject.CN)[0] ?? '', groups: list(subject.O) };
}

function text(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
}
