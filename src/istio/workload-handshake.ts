import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { codeOf, messageOf } from '../lib/errors.ts';
import { parseSpiffeUri } from './identity.ts';
import type { HeldCertificate } from './workload-certificate.ts';

export interface HandshakeTarget {
  readonly host: string;
  readonly port: number;
  /** The SPIFFE ID that the peer must prove. */
  readonly expect?: string | undefined;
}

export interface HandshakeResult {
  readonly ok: boolean;
  readonly peer?: string;
  /** Issuer of the peer's certificate, as text, and the serial of that issuer's certificate. */
  readonly issuer?: string;
  readonly issuerSerial?: string;
  readonly serial?: string;
  readonly ms: number;
  readonly error?: string;
}

const timeoutMs = 5000;

/**
 * One mutual-TLS handshake as a client: the peer's chain must verify with nothing but the root bundle, its certificate
 * must name one workload of our trust domain (and `expect`, if given), and it must take our certificate: under TLS 1.3
 * only the peer's first line proves that. Never throws.
 */
export async function handshake(
  target: HandshakeTarget,
  held: HeldCertificate,
  trustDomain: string,
): Promise<HandshakeResult> {
  const began = performance.now();
  const took = () => Math.round((performance.now() - began) * 100) / 100;
  let seen: Omit<HandshakeResult, 'ok' | 'ms' | 'error'> = {};
  try {
    const socket = connect({
      host: target.host,
      port: target.port,
      secureContext: held.context,
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => {
        seen = factsOf(certificate);
        return refusalOf(seen.peer, target.expect, trustDomain);
      },
    });
    const line = await firstLine(socket);
    if (line !== seen.peer)
      return { ok: false, ...seen, ms: took(), error: `the peer says it is "${line.slice(0, 200)}"` };
    return { ok: true, ...seen, ms: took() };
  } catch (error) {
    return { ok: false, ...seen, ms: took(), error: reasonOf(error) };
  }
}

function firstLine(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (settle: () => void) => {
      socket.destroy();
      settle();
    };
    socket.setEncoding('utf8').setTimeout(timeoutMs);
    socket.on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) end(() => resolve(text.slice(0, text.indexOf('\n'))));
      else if (text.length > 1000) end(() => reject(new Error('the peer answered no line')));
    });
    socket.on('timeout', () => end(() => reject(new Error(`no answer within ${timeoutMs} ms`))));
    socket.on('error', (error) => end(() => reject(error)));
    socket.on('end', () =>
      end(() =>
        reject(new Error('the peer closed the connection without an answer: it may refuse our certificate')),
      ),
    );
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
}

function factsOf(certificate: PeerCertificate): Omit<HandshakeResult, 'ok' | 'ms' | 'error'> {
  const uris = uriNames(certificate);
  const { O, CN, L } = certificate.issuer;
  const issuer = [
    ['O', O],
    ['CN', CN],
    ['L', L],
  ]
    .filter(([, value]) => value)
    .map(([type, value]) => `${type}=${value}`);
  const above =
    'issuerCertificate' in certificate
      ? (certificate.issuerCertificate as PeerCertificate | undefined)
      : undefined;
  return {
    ...(uris.length === 1 && uris[0] !== undefined ? { peer: uris[0] } : {}),
    issuer: issuer.join(','),
    ...(above?.serialNumber === undefined ? {} : { issuerSerial: above.serialNumber.toLowerCase() }),
    serial: certificate.serialNumber.toLowerCase(),
  };
}

/** The URI names of a certificate as TLS shows it. */
export function uriNames(certificate: PeerCertificate): string[] {
  return [...(certificate.subjectaltname ?? '').matchAll(/(?:^|, )URI:([^,]+)/g)].map(([, uri]) => uri ?? '');
}

/** Why a peer is not accepted, or undefined. The chain itself has been verified before. */
export function refusalOf(
  peer: string | undefined,
  expect: string | undefined,
  trustDomain: string,
): Error | undefined {
  const identity = peer === undefined ? undefined : parseSpiffeUri(peer);
  if (identity === undefined) return new Error('the certificate does not name exactly one workload');
  if (identity.trustDomain !== trustDomain) return new Error(`${peer} is not of trust domain ${trustDomain}`);
  if (expect !== undefined && peer !== expect) return new Error(`the peer is ${peer}, expected ${expect}`);
  return undefined;
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  const text = messageOf(error);
  return code === undefined || text.includes(code) ? text : `${text} (${code})`;
}
