import http from 'node:http';
import https from 'node:https';
import { MeshrootError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';

/** The largest answer that is read, in bytes: Vault's own limit for a request. */
const maxAnswerBytes = 32 * 1024 * 1024;

export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export interface TransportOptions {
  readonly address: URL;
  readonly tls?: ClientTls;
  readonly timeoutMs: number;
  /** Most connections at one time; as many as there are questions unless told otherwise. */
  readonly connections?: number | undefined;
}

/** PEM texts; what is not given is the system's. */
export interface ClientTls {
  /** The only roots to trust. */
  readonly caCert?: string;
  readonly clientCert?: string;
  readonly clientKey?: Secret<string>;
  /** In the server's certificate, where it is not the host of the address. */
  readonly serverName?: string;
  /** Talk to whoever answers: only where a configuration of somebody else's asks for it (`tls_skip_verify`). */
  readonly skipVerify?: boolean;
}

/** One HTTP exchange after the other over kept-alive connections; knows nothing of Vault. */
export interface Transport {
  send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<RawAnswer>;
  /** Closes idle connections. */
  close(): void;
}

/** @throws MeshrootError `bad-address` when the address is neither http nor https */
export function createTransport(options: TransportOptions): Transport {
  const { address, tls = {}, timeoutMs, connections: maxSockets = Number.POSITIVE_INFINITY } = options;
  const secure = address.protocol === 'https:';
  if (!secure && address.protocol !== 'http:') {
    throw new MeshrootError('bad-address', `"${address.href}" is neither an http nor an https address`, {
      hint: 'for example: https://vault.example:8200',
    });
  }
  const agent = secure ? tlsAgent(tls, maxSockets) : new http.Agent({ keepAlive: true, maxSockets });
  const base = address.pathname.replace(/\/+$/, '');
  return {
    close: () => agent.destroy(),
    send: (method, path, headers, body) =>
      new Promise((resolve, reject) => {
        const request = (secure ? https : http).request(
          {
            agent,
            method,
            host: address.hostname.replace(/^\[|\]$/g, ''),
            port: address.port === '' ? (secure ? 443 : 80) : address.port,
            path: base + path,
            headers: body === undefined ? headers : { ...headers, 'Content-Length': Buffer.byteLength(body) },
            signal: AbortSignal.timeout(timeoutMs),
          },
          (response) => collect(response).then(resolve, reject),
        );
        request.on('error', reject);
        request.end(body);
      }),
  };
}

/** Connections over TLS as these settings want them. */
export function tlsAgent(
  { caCert, clientCert, clientKey, serverName, skipVerify }: ClientTls,
  maxSockets = Number.POSITIVE_INFINITY,
): https.Agent {
  return new https.Agent({
    keepAlive: true,
    maxSockets,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: skipVerify !== true,
    ...(caCert !== undefined && { ca: caCert }),
    ...(clientCert !== undefined && { cert: clientCert }),
    ...(clientKey !== undefined && { key: clientKey.reveal() }),
    ...(serverName !== undefined && { servername: serverName }),
  });
}

async function collect(response: http.IncomingMessage): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes)
      throw new MeshrootError('answer-too-large', `the answer is larger than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}
