import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { stringify } from 'yaml';
import { parseAccept } from './accept.ts';
import type { ApiServer } from './api-server.ts';
import type { ClientCertificate } from './authenticate.ts';
import { maxBody } from './body.ts';
import type { ApiReply, ApiRequest } from './exchange.ts';
import { StatusError } from './status-error.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The serving certificate and its key, PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Client certificates of this CA are believed; PEM. */
  readonly clientCa: string;
}

export interface Listener {
  readonly port: number;
  /** Ends all watches and connections. */
  close(): Promise<void>;
}

/** Serves an API server on TLS 1.2 or newer, HTTP/1.1 (Go clients take it when nothing else is offered). */
export async function listen(api: ApiServer, options: ListenOptions): Promise<Listener> {
  const server = createServer({
    cert: options.certificate,
    key: options.key,
    ca: options.clientCa,
    requestCert: true,
    rejectUnauthorized: false, // anonymous and token clients have none; what is there is judged by authenticate()
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    keepAliveTimeout: 120_000,
    requestTimeout: 0, // watches
  });
  const closing = new AbortController();
  server.on('request', (request, response) => {
    serve(api, request, response, closing.signal).catch(() => response.destroy());
  });
  server.on('tlsClientError', () => {}); // a client that does not trust the CA hangs up; nothing to do here
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo; // a TCP server that listens always has one
  return { port, close: () => close(server, closing) };
}

async function close(server: Server, closing: AbortController): Promise<void> {
  closing.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function serve(
  api: ApiServer,
  incoming: IncomingMessage,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const accept = incoming.headers.accept;
  let body: Buffer;
  try {
    body = await readBody(incoming);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    response.setHeader('connection', 'close');
    await send(response, { status: error.code, body: { ...error.body } }, accept);
    return;
  }
  const signal = AbortSignal.any([gone.signal, closing]);
  const reply = await api.handle(requestOf(incoming, body, signal));
  await send(response, reply, accept);
}

function requestOf(incoming: IncomingMessage, body: Buffer, signal: AbortSignal): ApiRequest {
  const target = incoming.url ?? '/';
  const at = target.indexOf('?');
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string | undefined] => [
    name,
    Array.isArray(value) ? value.join(',') : value,
  ]);
  return {
    method: incoming.method ?? 'GET',
    path: at < 0 ? target : target.slice(0, at),
    query: new URLSearchParams(at < 0 ? '' : target.slice(at + 1)),
    headers: Object.fromEntries(headers),
    body,
    certificate: certificateOf(incoming.socket as TLSSocket), // an https server has no other sockets
    signal,
  };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) {
      const message = `Request entity too large: limit is ${maxBody}`;
      throw new StatusError(413, 'RequestEntityTooLarge', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const certificates = new WeakMap<TLSSocket, ClientCertificate>();

/** The client certificate of a connection; read once per connection, since it cannot change on it. */
function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const known = certificates.get(socket);
  if (known !== undefined) return known;
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return undefined;
  const texts = (value: unknown): string[] =>
    Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
  const certificate: ClientCertificate = socket.authorized
    ? { trusted: true, commonName: texts(subject.CN)[0] ?? '', organizations: texts(subject.O) }
    : { trusted: false };
  certificates.set(socket, certificate);
  return certificate;
}

async function send(response: ServerResponse, reply: ApiReply, accept: string | undefined): Promise<void> {
  for (const [name, value] of Object.entries(reply.headers ?? {})) {
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  response.setHeader('cache-control', 'no-cache, private');
  if (reply.stream !== undefined) {
    response.writeHead(reply.status, { 'content-type': reply.contentType ?? 'application/json' });
    response.flushHeaders();
    await pipeline(Readable.from(reply.stream), response).catch(() => response.destroy());
    return;
  }
  const { text, type } = encode(reply, accept);
  response.writeHead(reply.status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function encode(reply: ApiReply, accept: string | undefined): { text: string; type: string } {
  const { body } = reply;
  if (body === undefined || typeof body === 'string') {
    return { text: body ?? '', type: reply.contentType ?? 'text/plain' };
  }
  if (parseAccept(accept).format === 'yaml') return { text: stringify(body), type: 'application/yaml' };
  return { text: `${JSON.stringify(body)}\n`, type: reply.contentType ?? 'application/json' };
}
