import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import type { ListenerSettings, ProxySettings } from '../config/config.ts';
import type { AgentMetrics } from '../metrics.ts';
import { cacheClear } from './cache-clear.ts';
import { cachedPass } from './cached-pass.ts';
import type { LeaseCache } from './lease-cache.ts';
import { refuse } from './refuse.ts';
import type { Upstream } from './upstream.ts';

export interface AgentApiOptions {
  readonly listener: ListenerSettings;
  readonly proxy: ProxySettings;
  readonly upstream: Upstream;
  /** Undefined: nothing is kept. */
  readonly cache: LeaseCache | undefined;
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
  if (path === '/agent/v1/cache-clear') return cacheClear(o.cache, request, response);
  if (!path.startsWith('/v1/')) return refuse(response, 404);
  await pass(o, request, response);
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

async function pass(o: AgentApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = { ...request.headers };
  const token = o.token();
  const { proxy } = o;
  if (proxy.useToken === 'force' || (proxy.useToken === 'yes' && headers['x-vault-token'] === undefined)) {
    delete headers.authorization;
    if (token !== undefined) headers['x-vault-token'] = token.reveal();
  }
  headers['x-vault-request'] = 'true';
  if (o.cache !== undefined) {
    await cachedPass({ cache: o.cache, upstream: o.upstream }, request, headers, response);
    return o.metrics.count('vault_agent_proxy_success');
  }
  const answered = await o.upstream.pass(request, headers);
  o.metrics.count('vault_agent_proxy_success');
  response.writeHead(answered.statusCode ?? 502, answered.headers);
  answered.pipe(response);
}
