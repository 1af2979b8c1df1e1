import type { Logger } from '../../lib/log.ts';
import type { Secret } from '../../lib/secret.ts';
import type { AgentConfig } from '../config/config.ts';
import type { AgentMetrics } from '../metrics.ts';
import { agentApi } from './agent-api.ts';
import { openListener, type RunningListener } from './listener.ts';
import { upstream } from './upstream.ts';

export interface OpenApiOptions {
  readonly config: AgentConfig;
  readonly metrics: AgentMetrics;
  readonly token: () => Secret<string> | undefined;
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
  const running: RunningListener[] = [];
  const close = async (): Promise<void> => {
    behind.close();
    await Promise.all(running.map((listener) => listener.close()));
  };
  try {
    for (const listener of config.listeners) {
      const handler = agentApi({ ...options, listener, proxy: config.proxy, upstream: behind });
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
