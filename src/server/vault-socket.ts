import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import http2, { type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls';
import { admitListVerb } from './list-verb.ts';

export type Serve = (message: IncomingMessage, response: ServerResponse) => void;

/** A server for one listener, whatever it speaks. */
export interface VaultSocket {
  readonly server: Server | Http2SecureServer;
  /** For new connections; nothing without TLS. */
  setTls(context: SecureContextOptions): void;
  /** Takes nothing new, ends when all calls that are under way are answered, or after `patience` milliseconds. */
  close(patience: number): Promise<void>;
}

const limits = {
  headersTimeout: 10_000,
  requestTimeout: 90_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 32 * 1024,
  noDelay: true,
} as const;

/** Plain HTTP/1.1. */
export function createPlainSocket(serve: Serve): VaultSocket {
  const server = http.createServer(limits, serve);
  server.on('connection', admitListVerb);
  return {
    server,
    setTls: () => {},
    close: (patience) =>
      ended(server, patience, {
        drain: () => server.closeIdleConnections(),
        cut: () => server.closeAllConnections(),
      }),
  };
}

/** HTTP/2 for clients that ask for it while they shake hands (Go's do), HTTP/1.1 for the others. */
export function createTlsSocket(tls: TlsOptions, serve: Serve): VaultSocket {
  const server = http2.createSecureServer(
    {
      ...limits,
      ...tls,
      allowHTTP1: true,
      settings: { maxConcurrentStreams: 250, maxHeaderListSize: 32 * 1024 },
    },
    // The compatibility API of node:http2 has what a listener uses of node:http, under other types.
    serve as unknown as Parameters<typeof http2.createSecureServer>[1],
  );
  Object.assign(server, { headersTimeout: limits.headersTimeout, requestTimeout: limits.requestTimeout });
  const [sessions, sockets] = [new Set<ServerHttp2Session>(), new Set<TLSSocket>()];
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setTimeout(limits.keepAliveTimeout, () => session.close());
  });
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol === 'h2') return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    admitListVerb(socket);
  });
  return {
    server,
    setTls: (context) => server.setSecureContext(context),
    close: (patience) =>
      ended(server, patience, {
        drain: () => {
          for (const session of sessions) session.close();
          if ('closeIdleConnections' in server) (server as unknown as Server).closeIdleConnections();
        },
        cut: () => {
          for (const session of sessions) session.destroy();
          for (const socket of sockets) socket.destroy();
        },
      }),
  };
}

function ended(
  server: Server | Http2SecureServer,
  patience: number,
  { drain, cut }: { readonly drain: () => void; readonly cut: () => void },
): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(cut, patience);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    drain();
  });
}
