import type { Clock } from '../lib/clock.ts';
import { systemClock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { pacedTransport } from './paced-transport.ts';
import { type ClientTls, createTransport, type RawAnswer, type Transport } from './transport.ts';
import { VaultError } from './vault-error.ts';
import { toVaultResponse, type VaultResponse } from './vault-response.ts';

export interface VaultClientOptions extends ClientTls {
  /** `https://vault.example:8200`. */
  readonly address: string;
  readonly token?: Secret<string>;
  readonly namespace?: string;
  /** Of one attempt; 60 s unless told otherwise. */
  readonly timeoutMs?: number;
  /**
   * Further attempts after 412, 429, 5xx (but 501) or no connection; 2 unless told otherwise, as Vault's own client. A kv
   * mount that is being made ready is waited for in any case, for some ten seconds.
   */
  readonly retries?: number;
  /** Most connections at one time, and most requests begun in a second; no limit unless told otherwise. */
  readonly connections?: number | undefined;
  readonly requestsPerSecond?: number | undefined;
  readonly clock?: Clock;
}

export type VaultHeaders = Readonly<Record<string, string>>;

/** A client for any Vault or OpenBao: the paths are those behind `/v1/`, a query may follow (`data/x?version=2`). */
export class VaultClient {
  readonly #options: VaultClientOptions;
  readonly #transport: Transport;

  constructor(options: VaultClientOptions, transport?: Transport) {
    this.#options = options;
    this.#transport = transport ?? transportOf(options);
  }

  /** The same client with another token; connections are shared. */
  withToken(token: Secret<string>): VaultClient {
    return new VaultClient({ ...this.#options, token }, this.#transport);
  }

  /** Undefined when there is nothing at `path` (404 without a text). @throws VaultError */
  async read(path: string): Promise<VaultResponse | undefined> {
    return toVaultResponse(await this.#call('GET', path));
  }

  /** The keys below `path`, folders with a slash behind; empty when there are none. @throws VaultError */
  async list(path: string): Promise<string[]> {
    const [bare = '', query] = path.split('?', 2);
    const listed = await this.#call('GET', `${bare}?list=true${query === undefined ? '' : `&${query}`}`);
    const keys = toVaultResponse(listed)?.data?.keys;
    return Array.isArray(keys) ? keys.map(String) : [];
  }

  /** The answer, or undefined when there is none to give (204). @throws VaultError */
  async write(
    path: string,
    data: Readonly<Record<string, unknown>> = {},
  ): Promise<VaultResponse | undefined> {
    return toVaultResponse(await this.#call('PUT', path, data));
  }

  /** @throws VaultError */
  async delete(path: string): Promise<void> {
    await this.#call('DELETE', path);
  }

  /** Closes idle connections; a later request opens new ones. */
  close(): void {
    this.#transport.close();
  }

  /**
   * Any method; answers of every status are returned, not thrown.
   * @throws VaultError `vault-unreachable` when there is no answer
   */
  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: VaultHeaders = {},
  ): Promise<{ status: number; body: unknown }> {
    const answer = await this.#attempt(method, path, body, headers);
    return { status: answer.status, body: parsed(answer.text) };
  }

  async #call(method: string, path: string, data?: unknown): Promise<unknown> {
    const { status, body } = await this.request(method, path, data);
    if (status >= 200 && status < 300) return body;
    const errors = errorsOf(body);
    if (status === 404 && method === 'GET' && errors.length === 0) return undefined;
    throw new VaultError({ method, path: path.split('?', 1)[0] ?? path, status, errors });
  }

  async #attempt(method: string, path: string, body: unknown, headers: VaultHeaders): Promise<RawAnswer> {
    const { retries = 2, clock = systemClock } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#send(method, path, body, headers).catch((error: unknown) => {
        if (attempt >= retries || !worthRetrying(error)) throw this.#unreachable(method, path, error);
        return undefined;
      });
      const most = answer !== undefined && isUpgrading(answer) ? Math.max(retries, upgradeRetries) : retries;
      if (answer !== undefined && (attempt >= most || !worthAsking(path, answer))) return answer;
      await clock.sleep(Math.min(250 * 2 ** attempt, longestPauseMs));
    }
  }

  async #send(method: string, path: string, body: unknown, extra: VaultHeaders): Promise<RawAnswer> {
    const { token, namespace } = this.#options;
    const headers = {
      'X-Vault-Request': 'true',
      ...(token === undefined ? {} : { 'X-Vault-Token': token.reveal() }),
      ...(namespace === undefined ? {} : { 'X-Vault-Namespace': namespace }),
      ...(method === 'PATCH' ? { 'Content-Type': 'application/merge-patch+json' } : {}),
      ...extra,
    };
    const text = body === undefined ? undefined : JSON.stringify(body);
    return this.#transport.send(method, urlPath(path), headers, text);
  }

  #unreachable(method: string, path: string, cause: unknown): VaultError {
    const reason = codeOf(cause) ?? messageOf(cause);
    return new VaultError({
      method,
      path,
      cause,
      message: `no answer from the vault at ${this.#options.address} (${cause instanceof MeshrootError ? cause.message : reason})`,
      hint: unreachableHint(reason, this.#options.address),
    });
  }
}

function transportOf(options: VaultClientOptions): Transport {
  const { address, timeoutMs = 60_000, connections, requestsPerSecond, clock = systemClock } = options;
  const transport = createTransport({ address: addressOf(address), timeoutMs, tls: options, connections });
  return requestsPerSecond === undefined ? transport : pacedTransport(transport, requestsPerSecond, clock);
}

/** EPROTO: what came back was no TLS; ECONNRESET and a parse error: it was TLS that was asked without. */
function unreachableHint(reason: string, address: string): string {
  if (reason === 'EPROTO' && address.startsWith('https:'))
    return 'it answers without TLS: is the address to begin with http:// ?';
  return 'is it running, and are address and CA certificate right?';
}

function addressOf(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new MeshrootError('bad-address', `"${text}" is not an address`, {
    hint: 'for example: https://vault.example:8200',
  });
}

function urlPath(path: string): string {
  const [bare = '', query] = path.split('?', 2);
  const encoded = bare.replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/');
  return `/v1/${encoded}${query === undefined ? '' : `?${query}`}`;
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text; // certificates are answered as PEM
  }
}

function errorsOf(body: unknown): string[] {
  if (typeof body === 'string') return [body.trim().slice(0, 200)];
  if (typeof body !== 'object' || body === null || !('errors' in body)) return [];
  return Array.isArray(body.errors) ? body.errors.map(String) : [];
}

/** 429 is a quota that passes (sys/quotas), but of sys/health the answer of a standby. */
const worthAsking = (path: string, answer: RawAnswer): boolean =>
  answer.status === 412 ||
  (answer.status >= 500 && answer.status !== 501) ||
  (answer.status === 429 && path !== 'sys/health') ||
  isUpgrading(answer);

/**
 * A mount of kv version 2 answers 400 until it has made its own beginnings, though the call that mounted it is over. Nothing
 * was done then, so that any call may be made again.
 */
const isUpgrading = ({ status, text }: RawAnswer): boolean =>
  status === 400 && text.includes('Upgrading from non-versioned to versioned data');
const upgradeRetries = 8;
const longestPauseMs = 2000;

const brokenConnections = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'ETIMEDOUT']);
const worthRetrying = (error: unknown): boolean => brokenConnections.has(codeOf(error) ?? '');
