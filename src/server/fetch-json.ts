import http from 'node:http';
import https from 'node:https';
import type { FetchJson } from '../vault/auth/jwt/fetch-json.ts';
import { outboundSignal } from './request-deadline.ts';

const timeoutMs = 10_000;
const maxBytes = 1024 * 1024;

/** GET of a small JSON document; only the given CA is trusted if there is one. No redirects. Throws otherwise. */
export function createJsonFetcher(): FetchJson {
  return ({ url, caPem }) =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      const isSecure = target.protocol === 'https:';
      const request = (isSecure ? https : http).get(
        target,
        {
          signal: outboundSignal(timeoutMs),
          headers: { Accept: 'application/json' },
          ...(isSecure ? { minVersion: 'TLSv1.2', ...(caPem === '' ? {} : { ca: caPem }) } : {}),
        },
        (response) => {
          collect(response)
            .then((text) => resolve(JSON.parse(text)))
            .catch(reject);
        },
      );
      request.on('error', reject);
    });
}

async function collect(response: http.IncomingMessage): Promise<string> {
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`the provider answered ${response.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error('the answer of the provider is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
