import { connect, type DetailedPeerCertificate } from 'node:tls';

export interface ProbeOptions {
  readonly host: string;
  readonly port: number;
  readonly serverName: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Serials of the certificates that a TLS port shows, the server's first, in lower-case hex. Nothing is sent to it, so
 * whom it is signed by does not matter: this asks what is served, not whether it may be trusted.
 */
export function servedSerials({ host, port, serverName, timeoutMs }: ProbeOptions): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const name = serverName === undefined ? {} : { servername: serverName };
    const socket = connect({ host, port, rejectUnauthorized: false, ...name });
    const end = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => end(new Error('no handshake in time')));
    socket.on('error', end);
    socket.once('secureConnect', () => {
      const serials = serialsOf(socket.getPeerCertificate(true));
      socket.destroy();
      resolve(serials);
    });
  });
}

/** The chain ends where a certificate is its own issuer, or none is known. */
function serialsOf(first: DetailedPeerCertificate): string[] {
  const serials: string[] = [];
  for (let at: DetailedPeerCertificate | undefined = first; at?.serialNumber !== undefined; ) {
    serials.push(normalSerial(at.serialNumber));
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return serials;
}

/** Without the zeros that some print and some do not. */
export function normalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}
