import { constants, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { TlsOptions } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { toJson } from '../lib/exact-json.ts';
import type { Logger } from '../lib/log.ts';
import { envelope } from '../vault/core/envelope.ts';
import { handleLifecycle } from '../vault/core/lifecycle.ts';
import { isReading } from '../vault/core/listing.ts';
import { silentMetrics } from '../vault/core/metrics.ts';
import { metricsResult } from '../vault/core/metrics-result.ts';
import { Refusal, refuse } from '../vault/core/refusal.ts';
import type { Reply, VaultRequest } from '../vault/core/request.ts';
import { uuidOf } from '../vault/core/uuid.ts';
import type { VaultCore } from '../vault/core/vault-core.ts';
import { withinDeadline } from './request-deadline.ts';
import { maxBodyBytes, parseFields, parseHeaders, parseTarget, toVaultRequest } from './vault-request.ts';
import { createPlainSocket, createTlsSocket, type VaultSocket } from './vault-socket.ts';

export interface VaultListenerOptions {
  readonly core: VaultCore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** PEM; plain HTTP without it. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Clients may show a certificate; whether it is trusted is up to the auth mounts. Default: asked for. */
  readonly askClientCerts?: boolean;
  /** sys/metrics without a token. */
  readonly openMetrics?: boolean;
  /** sys/rekey and sys/generate-root without a token; anybody could then hold up the ceremonies. Default: 405. */
  readonly openRekey?: boolean;
  readonly openGenerateRoot?: boolean;
  /** Of a body, in bytes; 32 MiB without it, no limit below 0. */
  readonly maxRequestBytes?: number;
  /** How long a call may wait for others (an API server, a provider), in milliseconds. */
  readonly maxRequestMs?: number;
  /** 1.2 without it. */
  readonly tlsMinVersion?: 'TLSv1.2' | 'TLSv1.3';
}

export interface VaultListener {
  /** `http://127.0.0.1:8200`, with the port that was really taken. */
  readonly address: string;
  /** New certificates for new connections. */
  setTls(tls: { readonly cert: string; readonly key: string }): void;
  /** Answers what is running, takes nothing new. */
  close(): Promise<void>;
}

/** Serves a core over HTTP or HTTPS. @throws MeshrootError `port-taken`, `listen-failed` */
export async function listenVault(options: VaultListenerOptions): Promise<VaultListener> {
  const { tls, host, port } = options;
  const serve = (message: IncomingMessage, response: ServerResponse): void =>
    void answer(options, message, response);
  const socket =
    tls === undefined
      ? createPlainSocket(serve)
      : createTlsSocket({ ...tls, ...tlsLimits(options), ...clientCerts(options) }, serve);
  const { server } = socket;
  await listen(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    address: `${tls === undefined ? 'http' : 'https'}://${shown}:${taken}`,
    setTls: (next) => socket.setTls({ ...next, ...tlsLimits(options), ...clientCerts(options) }),
    close: () => socket.close(drainMs),
  };
}

const tlsLimits = ({ tlsMinVersion = 'TLSv1.2' }: VaultListenerOptions): TlsOptions => ({
  minVersion: tlsMinVersion,
});

/** A resumed session remembers the leaf but not the chain behind it: without tickets every connection shows all. */
const clientCerts = ({ askClientCerts = true }: VaultListenerOptions): TlsOptions =>
  askClientCerts
    ? { requestCert: true, rejectUnauthorized: false, secureOptions: constants.SSL_OP_NO_TICKET }
    : {};

/** How long calls that are under way may take when the server stops. */
const drainMs = 2000;

function listen(server: VaultSocket['server'], host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = codeOf(error) === 'EADDRINUSE';
      const hint = isTaken ? { hint: 'stop the other program, or listen on another port (0 takes any)' } : {};
      const message = isTaken
        ? `${host}:${port} is in use`
        : `cannot listen on ${host}:${port}: ${messageOf(error)}`;
      reject(new MeshrootError(isTaken ? 'port-taken' : 'listen-failed', message, { ...hint, cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

async function answer(
  options: VaultListenerOptions,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let reply: Reply;
  let cors: Readonly<Record<string, string>> = {};
  try {
    cors = corsHeaders(options, message);
    const isPreflight = message.method === 'OPTIONS' && 'Access-Control-Max-Age' in cors;
    reply = isPreflight ? { status: 204 } : await replyTo(options, message);
  } catch (error) {
    if (!(error instanceof Refusal)) options.log.error('a request failed', { error: messageOf(error) });
    const refusal = error instanceof Refusal ? error : refuse('internal error', 500, 'internal');
    reply = { status: refusal.status ?? 500, body: { errors: refusal.errors } };
    message.resume();
  }
  await send(message, response, { ...reply, headers: { ...reply.headers, ...cors } }).catch(
    (error: unknown) => {
      options.log.warn('an answer could not be sent', { error: messageOf(error) });
      response.destroy();
    },
  );
}

/** @throws Refusal 403 for a web page that may not call */
function corsHeaders(
  { core }: VaultListenerOptions,
  { method, headers }: IncomingMessage,
): Readonly<Record<string, string>> {
  const cors = core.services?.cors;
  if (cors?.config === undefined) return {};
  const wanted = method === 'OPTIONS' ? (headers['access-control-request-method'] ?? '') : undefined;
  return cors.headersFor(headers.origin, wanted);
}

async function replyTo(options: VaultListenerOptions, message: IncomingMessage): Promise<Reply> {
  const { core, clock } = options;
  const { operation, path, query } = parseTarget(message);
  const headers = parseHeaders(message);
  const reads = isReading(operation);
  const isUpload = operation === 'update' && uploads.includes(path);
  const body = reads || isUpload ? empty : await readBody(message, options.maxRequestBytes ?? maxBodyBytes);
  const data = parseFields(operation, query, body, message.headers['content-type'] ?? '');
  const parsed = toVaultRequest(uuidOf(randomBytes(16)), message, { operation, path, data, ...headers });
  const request = isUpload ? { ...parsed, upload: message } : parsed;
  if (path.startsWith('sys/')) {
    refuseClosed(options, path);
    const lifecycle = await handleLifecycle(core, request, clock.now());
    if (lifecycle !== undefined) return lifecycle;
    if (path === 'sys/metrics' && options.openMetrics === true) return openMetrics(core, request);
  }
  return withinDeadline(options.maxRequestMs, () => core.handle(request));
}

/** @throws Refusal 405 for the calls without a token that this listener does not open */
function refuseClosed({ openRekey, openGenerateRoot }: VaultListenerOptions, path: string): void {
  const isClosed =
    (openRekey !== true && /^sys\/rekey(-recovery-key)?\/(init|update|verify)$/.test(path)) ||
    (openGenerateRoot !== true && path.startsWith('sys/generate-root/'));
  if (isClosed) throw refuse('unsupported operation', 405, 'unsupported-operation');
}

/** Without a token, and so without a record. */
async function openMetrics(core: VaultCore, request: VaultRequest): Promise<Reply> {
  return envelope(request.id, await metricsResult(core.services?.metrics ?? silentMetrics, request));
}

/** Calls whose body is no JSON and of any size; it is read by those who may send it. */
const uploads = ['sys/storage/raft/snapshot', 'sys/storage/raft/snapshot-force'];

const empty = Buffer.alloc(0);

/** Up to the limit; what is longer is refused before it is parsed. */
async function readBody(message: IncomingMessage, limit: number): Promise<Buffer> {
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  if (Number(message.headers['content-length'] ?? 0) > most) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

const tooLarge = (): Refusal => refuse('http: request body too large', 413, 'too-large');

async function send(message: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { status, raw, stream } = reply;
  const body = raw?.body ?? (reply.body === undefined ? '' : `${toJson(reply.body)}\n`);
  const namespace = message.headers['x-vault-namespace'];
  response.writeHead(status, {
    'Content-Type': raw?.contentType ?? stream?.contentType ?? 'application/json',
    'Cache-Control': 'no-store',
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    ...(typeof namespace === 'string' ? { 'X-Vault-Namespace': namespace } : {}),
    ...(status === 204 || stream !== undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
    ...(status === 413 && message.httpVersionMajor === 1 ? { Connection: 'close' } : {}),
    ...reply.headers,
  });
  if (stream !== undefined) await pipeline(stream.body, response);
  else response.end(status === 204 ? undefined : body);
}
