import { createHash } from 'node:crypto';
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { type Clock, systemClock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';
import type { Credentials, Endpoint, TlsMaterial } from './endpoint.ts';
import { answerError, transportError } from './errors.ts';

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that says nothing for this long (ms) is given up; streams are exempt. */
const answerTimeout = 60_000;

/** As curl's and ssh's users set it for machines behind a firewall that drops: a handshake takes a second at most. */
const connectTimeout = 15_000;
/** For this long (ms) after that nobody tries again: a plan asks ten things of a cluster, and need not wait ten times. */
const restAfterTimeout = 5000;

export interface TransportOptions {
  /** Most connections at one time. */
  readonly connections?: number | undefined;
  /** Milliseconds that making a connection may take. */
  readonly connectTimeout?: number;
  readonly clock?: Clock;
}

/** Calls to one API server over kept-alive connections. */
export class Transport {
  readonly #endpoint: Endpoint;
  readonly #base: URL;
  readonly #options: TransportOptions;
  #agent: { readonly key: string; readonly agent: HttpAgent } | undefined;
  /** Ms since the epoch; until then nobody tries to connect. */
  #silentUntil = 0;
  readonly #now: () => number;

  constructor(endpoint: Endpoint, options: TransportOptions = {}) {
    const { clock = systemClock } = options;
    this.#now = () => clock.now();
    this.#endpoint = endpoint;
    this.#options = options;
    this.#base = new URL(endpoint.server);
  }

  /** JSON in, JSON out. @throws KubeError */
  async json(call: Call): Promise<unknown> {
    const answer = await this.stream(call);
    const text = await this.#text(answer);
    try {
      return text === '' ? undefined : JSON.parse(text);
    } catch {
      return text;
    }
  }

  /** The answer as it comes, already known to be a success. @throws KubeError */
  async stream(call: Call): Promise<IncomingMessage> {
    const answer = await this.#answer(call);
    const status = answer.statusCode ?? 0;
    if (status < 300) return answer;
    if (status === 401) this.#endpoint.refused?.();
    const text = await this.#text(answer);
    throw answerError(status, parseOr(text), `${call.method} ${call.path}`);
  }

  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  async #text(answer: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of answer) chunks.push(chunk as Buffer);
    } catch (error) {
      throw transportError(error, this.#endpoint.server);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  async #answer(call: Call): Promise<IncomingMessage> {
    const credentials = await this.#endpoint.credentials();
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(call, credentials);
      } catch (error) {
        // The server may close an idle connection in the instant in which we use it; nothing was done then.
        if (attempt === 0 && error instanceof StaleConnection) continue;
        if (call.signal?.aborted === true) throw call.signal.reason;
        throw transportError(error instanceof StaleConnection ? error.cause : error, this.#endpoint.server);
      }
    }
  }

  #send(call: Call, credentials: Credentials): Promise<IncomingMessage> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    const secure = this.#base.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(this.#url(call), {
        method: call.method,
        agent: this.#agentFor(credentials),
        headers: headersOf(call, body, credentials),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
      const timer = setTimeout(() => request.destroy(new Error('timed out')), answerTimeout);
      request.once('socket', (socket) => this.#connectInTime(request, socket, secure));
      request.once('response', (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      request.once('error', (error) => {
        clearTimeout(timer);
        reject(request.reusedSocket && codeOf(error) === 'ECONNRESET' ? new StaleConnection(error) : error);
      });
      request.end(body);
    });
  }

  #connectInTime(request: ClientRequest, socket: Socket, secure: boolean): void {
    if (request.reusedSocket || !socket.connecting) return;
    const { connectTimeout: most = connectTimeout } = this.#options;
    const left = this.#now() < this.#silentUntil ? 0 : most;
    const timer = setTimeout(() => {
      if (left > 0) this.#silentUntil = this.#now() + restAfterTimeout;
      request.destroy(new Error(`no connection within ${most / 1000} s`));
    }, left);
    for (const event of [secure ? 'secureConnect' : 'connect', 'close'])
      socket.once(event, () => clearTimeout(timer));
  }

  #url(call: Call): URL {
    const url = new URL(this.#base);
    url.pathname = `${this.#base.pathname.replace(/\/$/, '')}${call.path}`;
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  #agentFor(credentials: Credentials): HttpAgent {
    if (credentials.agent !== undefined) return credentials.agent;
    const key = agentKey(credentials.tls);
    if (this.#agent?.key !== key) {
      this.#agent?.agent.destroy();
      this.#agent = {
        key,
        agent: makeAgent(this.#base.protocol, credentials.tls, this.#options.connections),
      };
    }
    return this.#agent.agent;
  }
}

class StaleConnection extends Error {
  constructor(cause: unknown) {
    super('stale connection', { cause });
  }
}

function headersOf(call: Call, body: string | undefined, credentials: Credentials): Record<string, string> {
  return {
    accept: call.accept ?? 'application/json',
    'user-agent': 'meshroot',
    ...(body === undefined
      ? {}
      : {
          'content-type': call.contentType ?? 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        }),
    ...(credentials.authorization === undefined ? {} : { authorization: credentials.authorization.reveal() }),
  };
}

/** A certificate that an exec plugin renewed needs new connections. */
function agentKey(tls: TlsMaterial): string {
  return createHash('sha256')
    .update(tls.cert ?? '')
    .update(tls.ca ?? '')
    .digest('base64');
}

/** Keys and certificates are parsed once for all connections: that costs more than the handshake itself. */
function makeAgent(protocol: string, tls: TlsMaterial, maxSockets = Number.POSITIVE_INFINITY): HttpAgent {
  const common = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 8, maxSockets } as const;
  if (protocol !== 'https:') return new HttpAgent(common);
  const secureContext = createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key?.reveal() });
  const options: AgentOptions = { ...common, secureContext, rejectUnauthorized: tls.insecure !== true };
  if (tls.servername !== undefined) options.servername = tls.servername;
  return new HttpsAgent(options);
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
