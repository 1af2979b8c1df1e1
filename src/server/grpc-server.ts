import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { messageOf } from '../lib/errors.ts';
import type { CallIntake } from './call-intake.ts';
import { GrpcStatus, type GrpcStream, openGrpcStream, refuseStream } from './grpc-stream.ts';
import type { HotTls } from './hot-tls.ts';
import { IdleSessions } from './idle-sessions.ts';

/*
 * As much of a gRPC server as a certificate service needs, on Node's own HTTP/2: a CSR storm is thousands of short unary
 * calls, and half of what the general library costs is channels, filters and metadata that nobody reads here.
 * Protocol: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */

export interface GrpcCall {
  readonly headers: IncomingHttpHeaders;
  /** DER of the client certificate, when the connection verified it. */
  readonly certificate: Buffer | undefined;
  /** It showed one that has ended. */
  readonly expired: boolean;
  readonly peer: string;
}

/** The answer's bytes, or rejects with a GrpcStatus. */
export type UnaryHandler = (request: Buffer, call: GrpcCall) => Promise<Buffer>;
/** Called once per stream; lives as long as the client wants. */
export type StreamHandler = (stream: GrpcStream) => void;

export interface GrpcServerOptions {
  readonly tls: HotTls;
  readonly maxMessage: number;
  readonly unary: Readonly<Record<string, UnaryHandler>>;
  readonly streams: Readonly<Record<string, StreamHandler>>;
  /** Those of `unary` that are work, and how many calls of them may be open. The others are always answered. */
  readonly bounded?: {
    readonly paths: ReadonlySet<string>;
    readonly intake: CallIntake;
    readonly refusal: GrpcStatus;
    readonly onRefused: () => void;
  };
  /** Told of what a handler threw that is no GrpcStatus. */
  readonly onBug: (error: unknown) => void;
}

/** Of one connection: a node's proxy that asks for more at once waits at its own end, where that costs us nothing. */
const maxStreams = 8;
/** Connections, beyond which idle ones are closed; and those that are open at most, with those that still shake hands. */
const maxSessions = 256;
const maxConnections = 3 * maxSessions;
const handshakeTimeout = 10_000;
/** Within which a caller has to say what it wants, in ms. */
const messageTimeout = 10_000;
const keepAliveEvery = 30_000;
const keepAliveWait = 10_000;

export class GrpcServer {
  readonly http: Http2SecureServer;
  readonly #options: GrpcServerOptions;
  readonly #sessions = new IdleSessions(maxSessions);

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.http = createSecureServer({
      ...options.tls.context,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout,
      settings: { maxConcurrentStreams: maxStreams },
    });
    this.http.maxConnections = maxConnections; // what comes on top is closed at once, and dials again
    options.tls.attach(this.http);
    this.http.on('session', (session) => this.#meet(session));
    this.http.on('stream', (stream, headers) => this.#serve(stream, headers));
    this.http.on('sessionError', () => {}); // that connection is gone, its streams are told
    this.http.on('tlsClientError', () => {});
  }

  /** Takes no new calls; those under way may end until `graceMs` have passed. */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.http.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  /** Remembers who is connected, and finds out who is not any more. */
  #meet(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    const beat = setInterval(() => {
      this.#sessions.settle(session);
      const late = setTimeout(() => session.destroy(), keepAliveWait).unref();
      const sent = session.destroyed || session.ping(() => clearTimeout(late));
      if (!sent) clearTimeout(late);
    }, keepAliveEvery).unref();
    session.on('error', () => {});
    session.on('close', () => {
      clearInterval(beat);
      this.#sessions.remove(session);
    });
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => {}); // the client hung up
    this.#count(stream);
    if (!headers['content-type']?.startsWith('application/grpc') || headers[':method'] !== 'POST') {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    const path = headers[':path'] ?? '';
    const { maxMessage, unary, streams, bounded } = this.#options;
    if (bounded?.paths.has(path) && !this.#enter(stream, bounded.intake)) {
      bounded.onRefused();
      refuseStream(stream, bounded.refusal);
      return;
    }
    const grpc = openGrpcStream(stream, maxMessage);
    const handler = unary[path];
    if (handler !== undefined) this.#answer(grpc, handler, headers);
    else if (streams[path] !== undefined) streams[path](grpc);
    else grpc.fail(new GrpcStatus(12, `The server does not implement the method ${path}`));
  }

  #count(stream: ServerHttp2Stream): void {
    const { session } = stream;
    if (session === undefined) return;
    this.#sessions.begin(session);
    stream.once('close', () => this.#sessions.end(session));
  }

  #enter(stream: ServerHttp2Stream, intake: CallIntake): boolean {
    const { session = stream } = stream;
    if (!intake.enter(session)) return false;
    stream.once('close', () => intake.leave(session));
    return true;
  }

  #answer(grpc: GrpcStream, handler: UnaryHandler, headers: IncomingHttpHeaders): void {
    let request: Buffer | undefined;
    const late = setTimeout(() => grpc.fail(new GrpcStatus(4, 'no request came')), messageTimeout).unref();
    grpc.stream.once('close', () => clearTimeout(late));
    grpc.onMessage = (message) => {
      clearTimeout(late);
      if (request !== undefined) grpc.fail(new GrpcStatus(13, 'more than one request message'));
      request = message;
    };
    grpc.onEnd = () => {
      if (request === undefined) return grpc.fail(new GrpcStatus(13, 'no request message'));
      handler(request, callOf(grpc.stream, headers)).then(
        (answer) => grpc.finish(answer),
        (error: unknown) => {
          if (!(error instanceof GrpcStatus)) this.#options.onBug(error);
          grpc.fail(error instanceof GrpcStatus ? error : new GrpcStatus(13, 'internal error'));
        },
      );
    };
  }
}

type Connection = Omit<GrpcCall, 'headers'>;

const connections = new WeakMap<object, Connection>();

/** The same for every call of a connection, and costly to ask of OpenSSL. */
function connectionOf(stream: ServerHttp2Stream): Connection {
  const { session } = stream;
  if (session === undefined) return { certificate: undefined, expired: false, peer: 'gone' };
  const known = connections.get(session);
  if (known !== undefined) return known;
  const socket = session.socket as TLSSocket;
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  const certificate = socket.authorized ? certificateOf(socket) : undefined;
  // Node's types say Error, its documentation and its code give OpenSSL's name of the reason
  const expired = String(socket.authorizationError) === 'CERT_HAS_EXPIRED';
  const made = { certificate, expired, peer };
  connections.set(session, made);
  return made;
}

function certificateOf(socket: TLSSocket): Buffer | undefined {
  try {
    return socket.getPeerCertificate().raw;
  } catch (error) {
    throw new GrpcStatus(14, messageOf(error));
  }
}

function callOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): GrpcCall {
  return { headers, ...connectionOf(stream) };
}
