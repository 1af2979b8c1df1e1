import { createHash } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import { renewalWait } from '../auth/renewal.ts';

/** A request as far as the cache has to know it. */
export interface CacheRequest {
  readonly method: string;
  /** With query. */
  readonly url: string;
  readonly namespace: string;
  readonly token: string;
  readonly body: Buffer;
}

export interface CacheAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

export interface CachedAnswer extends CacheAnswer {
  readonly hit: boolean;
  /** Seconds since the store gave it. */
  readonly age: number;
}

interface Entry {
  readonly key: string;
  readonly request: CacheRequest;
  readonly answer: CacheAnswer;
  readonly since: number;
  readonly leaseId: string;
  /** Of a token that the answer made. */
  readonly created: { readonly token: string; readonly accessor: string } | undefined;
  readonly gone: AbortController;
}

export interface LeaseCacheOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** The agent's own token: what is asked for with somebody else's is not kept. */
  readonly ownToken: () => string | undefined;
  /** Asks the store by itself, to renew. */
  readonly send: (request: CacheRequest) => Promise<CacheAnswer>;
}

/**
 * Keeps what comes with a lease or a new token, as Vault Agent's lease cache: the same question gets the same answer
 * until the lease ends or is revoked, and while the first one is on its way all others wait for it. Leases are renewed.
 */
export class LeaseCache {
  readonly #o: LeaseCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #pending = new Map<string, Promise<unknown>>();

  constructor(options: LeaseCacheOptions) {
    this.#o = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The kept answer, or that of `ask`, which is then kept if it may be. */
  async through(request: CacheRequest, ask: () => Promise<CacheAnswer>): Promise<CachedAnswer> {
    const key = keyOf(request);
    // Whoever was first may have got something that is not kept: then the next one asks, the others wait on.
    for (let first = this.#pending.get(key); first !== undefined; first = this.#pending.get(key))
      await first.catch(() => {});
    const known = this.#entries.get(key);
    if (known !== undefined) {
      const age = Math.floor((this.#o.clock.now() - known.since) / 1000);
      return { ...known.answer, hit: true, age };
    }
    const asking = ask().finally(() => this.#pending.delete(key));
    this.#pending.set(key, asking);
    const answer = await asking;
    if (answer.status >= 200 && answer.status < 300) {
      this.#keep(key, request, answer);
      this.#evictRevoked(request);
    }
    return { ...answer, hit: false, age: 0 };
  }

  evict(test: (entry: Pick<Entry, 'request' | 'leaseId' | 'created'>) => boolean): void {
    for (const entry of [...this.#entries.values()]) if (test(entry)) this.#remove(entry);
  }

  evictToken(token: string): void {
    this.evict(({ request, created }) => request.token === token || created?.token === token);
  }

  /** Ends all renewals. */
  clear(): void {
    this.evict(() => true);
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry.key)) return;
    entry.gone.abort();
    if (entry.created !== undefined) this.evictToken(entry.created.token); // what it was used for goes with it
  }

  #keep(key: string, request: CacheRequest, answer: CacheAnswer): void {
    const facts = factsOf(answer.body);
    if (facts === undefined || !this.#isManaged(request.token)) return;
    const gone = new AbortController();
    const since = this.#o.clock.now();
    const entry = { key, request, answer, since, leaseId: facts.leaseId, created: facts.created, gone };
    this.#entries.set(key, entry);
    void this.#keepAlive(entry, facts.leaseMs, facts.renewable);
  }

  #isManaged(token: string): boolean {
    if (token === this.#o.ownToken()) return true;
    return [...this.#entries.values()].some(({ created }) => created?.token === token);
  }

  async #keepAlive(entry: Entry, leaseMs: number, renewable: boolean): Promise<void> {
    const { clock, random } = this.#o;
    const { signal } = entry.gone;
    let left: number | undefined = leaseMs;
    let canRenew = renewable;
    while (left !== undefined && !signal.aborted) {
      const wait = renewalWait(left, canRenew, random());
      if (wait === undefined) break;
      await clock.sleep(wait, signal).catch(() => {});
      if (signal.aborted || (!canRenew && left > 0)) break;
      const renewed: { leaseMs: number; renewable: boolean } | undefined = canRenew
        ? await this.#renew(entry)
        : { leaseMs: left, renewable: false };
      left = renewed?.leaseMs;
      canRenew = renewed?.renewable === true;
    }
    this.#remove(entry);
  }

  async #renew({
    request,
    leaseId,
    created,
  }: Entry): Promise<{ leaseMs: number; renewable: boolean } | undefined> {
    const [url, token, body] =
      created === undefined
        ? ['/v1/sys/leases/renew', request.token, { lease_id: leaseId }]
        : ['/v1/auth/token/renew-self', created.token, {}];
    const ask = {
      method: 'PUT',
      url,
      token,
      namespace: request.namespace,
      body: Buffer.from(JSON.stringify(body)),
    };
    try {
      const answer = await this.#o.send(ask);
      return answer.status === 200 ? factsOf(answer.body) : undefined;
    } catch {
      return undefined; // whoever asks next asks the store
    }
  }

  /** A revocation that passed through takes what it revoked along. */
  #evictRevoked({ method, url, token, body }: CacheRequest): void {
    if (method !== 'PUT' && method !== 'POST') return;
    const path = (url.split('?', 1)[0] ?? '').replace(/^\/v1\//, '');
    const field = (name: string): string => textIn(body, name);
    if (path === 'auth/token/revoke-self') this.evictToken(token);
    else if (path === 'auth/token/revoke' || path === 'auth/token/revoke-orphan')
      this.evictToken(field('token'));
    else if (path === 'auth/token/revoke-accessor')
      this.evict(({ created }) => created?.accessor === field('accessor'));
    else {
      const [, word = '', given = ''] =
        /^sys\/(?:leases\/)?revoke(-prefix|-force)?(?:\/(.+))?$/.exec(path) ?? [];
      if (word !== '' && given !== '') this.evict(({ leaseId }) => leaseId.startsWith(given));
      else if (/^sys\/(leases\/)?revoke/.test(path)) {
        const lease = given === '' ? field('lease_id') : given;
        this.evict(({ leaseId }) => leaseId !== '' && leaseId === lease);
      }
    }
  }
}

function keyOf({ method, url, namespace, token, body }: CacheRequest): string {
  const hash = createHash('sha256');
  for (const part of [method, url, namespace, token, body]) hash.update(part).update('\0');
  return hash.digest('hex');
}

interface Facts {
  readonly leaseId: string;
  readonly created: Entry['created'];
  readonly leaseMs: number;
  readonly renewable: boolean;
}

/** What makes an answer one to keep; undefined for all others, a KV entry among them. */
function factsOf(body: Buffer): Facts | undefined {
  const answer = parsed(body);
  const auth = recordIn(answer, 'auth');
  const { client_token: token, accessor } = auth;
  const leaseId = typeof answer.lease_id === 'string' ? answer.lease_id : '';
  const made = typeof token === 'string' && token !== '';
  if (!made && leaseId === '') return undefined;
  const from = made ? auth : answer;
  return {
    leaseId,
    created: made ? { token, accessor: typeof accessor === 'string' ? accessor : '' } : undefined,
    leaseMs: Number(from.lease_duration ?? 0) * 1000,
    renewable: from.renewable === true,
  };
}

function parsed(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(body.toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function recordIn(from: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  const value = from[key];
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textIn(body: Buffer, key: string): string {
  const value = parsed(body)[key];
  return typeof value === 'string' ? value : '';
}
