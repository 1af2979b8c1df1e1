import { createServer, type TLSSocket } from 'node:tls';
import type { HeldCertificate } from '../istio/workload-certificate.ts';
import { refusalOf, uriNames } from '../istio/workload-handshake.ts';
import type { Logger } from '../lib/log.ts';
import { listenOn } from './listen-address.ts';

export interface WorkloadListenerOptions {
  readonly address: string;
  /** The SPIFFE ID that is answered to whoever proves one of the same trust domain. */
  readonly uri: string;
  readonly trustDomain: string;
  readonly held: HeldCertificate;
  readonly log: Logger;
}

export interface WorkloadListener {
  readonly port: number;
  readonly counts: { accepted: number; refused: number };
  /** New connections are on `held` from now on. */
  use(held: HeldCertificate): void;
  close(): Promise<void>;
}

/** Mutual TLS: a client certificate that verifies with only the root bundle, of our trust domain; one line in answer. */
export async function listenForPeers(options: WorkloadListenerOptions): Promise<WorkloadListener> {
  const { uri, trustDomain, held, log } = options;
  const counts = { accepted: 0, refused: 0 };
  const open = new Set<TLSSocket>();
  const server = createServer(
    { ...contextOf(held), requestCert: true, rejectUnauthorized: true },
    (socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket)).on('error', () => {});
      socket.setTimeout(5000, () => socket.destroy());
      const [peer, ...more] = uriNames(socket.getPeerCertificate());
      const refusal = refusalOf(more.length > 0 ? undefined : peer, undefined, trustDomain);
      if (refusal === undefined) {
        counts.accepted += 1;
        socket.end(`${uri}\n`);
      } else {
        counts.refused += 1;
        log.warn(`refused a peer: ${refusal.message}`);
        socket.destroy();
      }
    },
  );
  server.on('tlsClientError', (error) => {
    counts.refused += 1;
    log.debug(`refused a handshake: ${error.message}`);
  });
  return {
    port: await listenOn(server, options.address),
    counts,
    use: (next) => server.setSecureContext(contextOf(next)),
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function contextOf({ chainPem, keyPem, rootPem }: HeldCertificate) {
  return { cert: chainPem, key: keyPem, ca: rootPem, minVersion: 'TLSv1.2' as const };
}
