import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LeaseCache } from './lease-cache.ts';
import { readBody } from './read-body.ts';
import { refuse } from './refuse.ts';

interface Wish {
  readonly type: string;
  readonly value: string;
  readonly namespace: string;
}

/** `/agent/v1/cache-clear`: `{type, value, namespace}`; without a cache there is nothing to clear, and that is fine. */
export async function cacheClear(
  cache: LeaseCache | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST' && request.method !== 'PUT') return refuse(response, 405);
  const wish = parsed((await readBody(request)).toString('utf8'));
  if (wish === undefined) return refuse(response, 400, 'failed to parse the request as JSON');
  const clear = clears[wish.type];
  if (clear === undefined) return refuse(response, 400, 'invalid type provided');
  if (wish.type !== 'all' && wish.value === '') return refuse(response, 400, `${wish.type} needs a value`);
  if (cache !== undefined) clear(cache, wish);
  response.writeHead(200).end();
}

const clears: Readonly<Record<string, (cache: LeaseCache, wish: Wish) => void>> = {
  all: (cache) => cache.clear(),
  token: (cache, { value }) => cache.evictToken(value),
  token_accessor: (cache, { value }) => cache.evict(({ created }) => created?.accessor === value),
  lease: (cache, { value }) => cache.evict(({ leaseId }) => leaseId === value),
  request_path: (cache, { value, namespace }) =>
    cache.evict(({ request }) => request.url.startsWith(value) && request.namespace === namespace),
};

function parsed(text: string): Wish | undefined {
  try {
    const { type, value, namespace } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const word = (v: unknown): string => (typeof v === 'string' ? v : '');
    return { type: word(type), value: word(value), namespace: word(namespace) };
  } catch {
    return undefined;
  }
}
