import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import type { ListenerSettings, ProxySettings } from '../config/config.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { Upstream } from './upstream.ts';

export interface AgentApiOptions {
  readonly listener: ListenerSettings;
  /** Undefined: nothing is passed on. */
  readonly proxy: ProxySettings | undefined;
  readonly upstream: Upstream;
  readonly metrics: AgentMetrics;
  readonly token: () => Secret<string> | undefined;
  readonly log: Logger;
  readonly quit: () => void;
}

/** What an agent answers on a listener: its own paths, and the store's behind its token. */
export function agentApi(
  options: AgentApiOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      options.metrics.count('vault_agent_proxy_error_total');
      options.log.error('request failed', { error: messageOf(error) });
      if (response.headersSent) response.destroy();
      else refuse(response, 502, `no answer from the store: ${messageOf(error)}`);
    });
  };
}

async function answer(o: AgentApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (path === '/agent/v1/metrics') return metrics(o, request, response);
  if (o.listener.metricsOnly) return refuse(response, 404);
  if (path === '/agent/v1/quit') return quit(o, request, response);
  if (o.listener.requireRequestHeader && request.headers['x-vault-request'] !== 'true')
    return refuse(response, 412, "missing 'X-Vault-Request' header");
  if (path === '/agent/v1/cache-clear') return cacheClear(request, response);
  if (o.proxy === undefined || !path.startsWith('/v1/')) return refuse(response, 404);
  await pass(o, o.proxy, request, response);
}

function metrics({ metrics: m }: AgentApiOptions, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET') refuse(response, 405);
  else response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(m.text());
}

function quit(o: AgentApiOptions, request: IncomingMessage, response: ServerResponse): void {
  if (!o.listener.enableQuit) refuse(response, 404);
  else if (request.method !== 'POST') refuse(response, 405);
  else {
    o.log.info('received quit request');
    response.writeHead(200).end(() => o.quit());
  }
}

/** There is no cache of answers to clear; who asks for one to be cleared has what they wanted. */
async function cacheClear(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' && request.method !== 'PUT') return refuse(response, 405);
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  let type: unknown;
  try {
    type = (JSON.parse(Buffer.concat(chunks).toString('utf8')) as { type?: unknown }).type;
  } catch {
    return refuse(response, 400, 'failed to parse the request as JSON');
  }
  const known = ['request_path', 'token', 'token_accessor', 'lease', 'all'];
  if (typeof type !== 'string' || !known.includes(type))
    return refuse(response, 400, 'invalid type provided');
  response.writeHead(200).end();
}

async function pass(
  o: AgentApiOptions,
  proxy: ProxySettings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = { ...request.headers };
  const token = o.token();
  if (proxy.useToken === 'force' || (proxy.useToken === 'yes' && headers['x-vault-token'] === undefined)) {
    delete headers.authorization;
    if (token !== undefined) headers['x-vault-token'] = token.reveal();
  }
  headers['x-vault-request'] = 'true';
  const answered = await o.upstream.pass(request, headers);
  o.metrics.count('vault_agent_proxy_success');
  response.writeHead(answered.statusCode ?? 502, answered.headers);
  answered.pipe(response);
}

function refuse(response: ServerResponse, status: number, reason?: string): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json' })
    .end(`${JSON.stringify({ errors: reason === undefined ? [] : [reason] })}\n`);
}
