import http from 'node:http';
import https from 'node:https';
import { outboundSignal } from './request-deadline.ts';

const timeoutMs = 10_000;

export interface FetchOptions {
  /** PEM of the only roots to trust; the system's without it. */
  readonly caPem?: string;
  readonly accept?: string;
  /** A longer answer is given up. */
  readonly maxBytes: number;
  /** The text of the error for an answer that is not 200. */
  readonly wrongStatus: (status: number | undefined) => string;
}

/** GET of a document of limited size within 10 s and the call's own deadline. No redirects. Throws otherwise. */
export function fetchBytes(url: string, o: FetchOptions): Promise<Buffer> {
  const { caPem = '', accept } = o;
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const isSecure = target.protocol === 'https:';
    const request = (isSecure ? https : http).get(
      target,
      {
        signal: outboundSignal(timeoutMs),
        headers: accept === undefined ? {} : { Accept: accept },
        ...(isSecure ? { minVersion: 'TLSv1.2', ...(caPem === '' ? {} : { ca: caPem }) } : {}),
      },
      (response) => {
        collect(response, o).then(resolve, reject);
      },
    );
    request.on('error', reject);
  });
}

async function collect(
  response: http.IncomingMessage,
  { maxBytes, wrongStatus }: FetchOptions,
): Promise<Buffer> {
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(wrongStatus(response.statusCode));
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error('the answer of the provider is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
