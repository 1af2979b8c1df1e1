import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { CacheAnswer, LeaseCache } from './lease-cache.ts';
import { readBody } from './read-body.ts';
import type { Upstream } from './upstream.ts';

/** Passes a request on through the cache; says in `X-Cache` and `Age` where the answer came from. */
export async function cachedPass(
  { cache, upstream }: { readonly cache: LeaseCache; readonly upstream: Upstream },
  request: IncomingMessage,
  headers: IncomingHttpHeaders,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  const header = (name: string): string => String(headers[name] ?? '');
  const asked = {
    method: request.method ?? 'GET',
    url: request.url ?? '',
    namespace: header('x-vault-namespace'),
    token: header('x-vault-token'),
    body,
  };
  // A wrapped answer can be opened once: it is nobody else's.
  const ask = async (): Promise<CacheAnswer> => whole(await upstream.pass(request, headers, body));
  const answer =
    headers['x-vault-wrap-ttl'] === undefined
      ? await cache.through(asked, ask)
      : { ...(await ask()), hit: false, age: 0 };
  const { 'transfer-encoding': _, connection: __, ...kept } = answer.headers;
  const own = answer.hit ? { 'X-Cache': 'HIT', Age: String(answer.age) } : { 'X-Cache': 'MISS' };
  const length = String(answer.body.length);
  response.writeHead(answer.status, { ...(kept as NodeJS.Dict<string>), 'content-length': length, ...own });
  response.end(answer.body);
}

/** An answer of the store with all of its body. */
export async function whole(message: IncomingMessage): Promise<CacheAnswer> {
  return { status: message.statusCode ?? 502, headers: message.headers, body: await readBody(message) };
}
