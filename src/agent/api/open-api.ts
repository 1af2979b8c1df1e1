import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import type { AgentConfig } from '../config/config.ts';
import type { AgentMetrics } from '../metrics.ts';
import { agentApi } from './agent-api.ts';
import { whole } from './cached-pass.ts';
import { LeaseCache } from './lease-cache.ts';
import { openListener, type RunningListener } from './listener.ts';
import { type Upstream, upstream } from './upstream.ts';

export interface OpenApiOptions {
  readonly config: AgentConfig;
  readonly metrics: AgentMetrics;
  readonly token: () => Secret<string> | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly quit: () => void;
}

export interface OpenApi {
  /** Takes new certificates over. @throws MeshrootError */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Opens all listeners of a configuration; loaded only when there are some. @throws MeshrootError */
export async function openApi(options: OpenApiOptions): Promise<OpenApi> {
  const { config, log } = options;
  const behind = await upstream(config.vault);
  const cache = config.cache === undefined ? undefined : leaseCache(options, behind);
  const proxy = config.proxy ?? { useToken: 'no' }; // as upstream: without api_proxy, with the caller's own token
  const running: RunningListener[] = [];
  const close = async (): Promise<void> => {
    cache?.clear();
    behind.close();
    await Promise.all(running.map((listener) => listener.close()));
  };
  try {
    for (const listener of config.listeners) {
      const handler = agentApi({ ...options, listener, proxy, upstream: behind, cache });
      const opened = await openListener(listener, handler);
      running.push(opened);
      log.info('listening', { address: opened.url, metricsOnly: listener.metricsOnly });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const reload = async (): Promise<void> => {
    await behind.reload();
    for (const listener of running) await listener.reload();
  };
  return { reload, close };
}

function leaseCache({ clock, random, token }: OpenApiOptions, behind: Upstream): LeaseCache {
  return new LeaseCache({
    clock,
    random,
    ownToken: () => token()?.reveal(),
    send: async ({ method, url, token: used, namespace, body }) => {
      const headers = {
        'x-vault-token': used,
        'x-vault-request': 'true',
        ...(namespace === '' ? {} : { 'x-vault-namespace': namespace }),
      };
      return whole(await behind.pass({ method, url }, headers, body));
    },
  });
}
