import { connect, type DetailedPeerCertificate } from 'node:tls';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';

/** Longest wait for a handshake, milliseconds. */
const patience = 5000;

/**
 * The certificates that a TLS server presents, leaf first, verified with nothing but `rootPem`.
 * @param address host:port
 * @throws MeshrootError `not-reachable`, `not-trusted`
 */
export function presentedChain(options: {
  address: string;
  serverName: string;
  rootPem: string;
}): Promise<Certificate[]> {
  const colon = options.address.lastIndexOf(':');
  const socket = connect({
    host: options.address.slice(0, colon),
    port: Number(options.address.slice(colon + 1)),
    servername: options.serverName,
    ca: options.rootPem,
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.2',
    timeout: patience,
  });
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', () => {
      resolve(chainOf(socket.getPeerCertificate(true)));
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer within 5 s')));
    socket.once('error', (error) => reject(refusal(options.address, error)));
  });
}

function chainOf(leaf: DetailedPeerCertificate): Certificate[] {
  const chain: Certificate[] = [];
  const seen = new Set<string>();
  for (
    let current = leaf;
    current !== undefined && !seen.has(current.fingerprint256);
    current = current.issuerCertificate
  ) {
    seen.add(current.fingerprint256);
    chain.push(parseCertificate(current.raw));
  }
  return chain;
}

function refusal(address: string, error: Error): MeshrootError {
  const code = codeOf(error) ?? '';
  const trust = /CERT|ISSUER|SIGNATURE|ALTNAME/.test(code);
  return new MeshrootError(
    trust ? 'not-trusted' : 'not-reachable',
    trust
      ? `${address} presents a chain that the root does not verify: ${messageOf(error)}`
      : `${address} does not answer: ${code || messageOf(error)}`,
    { exit: 1, cause: error },
  );
}
