import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { tlsAgent } from '../../client/transport.ts';
import type { VaultSettings } from '../config/config.ts';
import { tlsOf } from '../vault-access.ts';

/** A request that came in, or one of the agent's own. */
export type Asked = IncomingMessage | { readonly method: string; readonly url: string };

/** The store behind an agent's listener: bodies stream through, whatever they hold. */
export interface Upstream {
  pass(request: Asked, headers: IncomingHttpHeaders, body?: Buffer): Promise<IncomingMessage>;
  /** Reads the files of the TLS settings anew. */
  reload(): Promise<void>;
  close(): void;
}

const ofOneHop = ['connection', 'keep-alive', 'proxy-authorization', 'te', 'trailer', 'upgrade', 'host'];

export async function upstream(settings: VaultSettings): Promise<Upstream> {
  const address = new URL(settings.address);
  const secure = address.protocol === 'https:';
  const connections = async (): Promise<http.Agent> =>
    secure ? tlsAgent(await tlsOf(settings)) : new http.Agent({ keepAlive: true });
  let agent = await connections();
  const base = address.pathname.replace(/\/+$/, '');
  return {
    reload: async () => {
      agent = await connections();
    },
    close: () => agent.destroy(),
    pass: (request, given, body) =>
      new Promise((resolve, reject) => {
        const headers = { ...given };
        for (const name of ofOneHop) delete headers[name];
        if (body !== undefined) {
          delete headers['transfer-encoding'];
          headers['content-length'] = String(body.length);
        }
        if (settings.namespace !== undefined) headers['x-vault-namespace'] ??= settings.namespace;
        const url = new URL(base + (request.url ?? ''), address);
        const options = { agent, method: request.method ?? 'GET', headers, timeout: settings.timeoutMs };
        const out = (secure ? https : http).request(url, options, resolve);
        out.on('timeout', () => out.destroy(new Error('no answer in time')));
        out.on('error', reject);
        if (body !== undefined || !(request instanceof Readable)) return void out.end(body);
        request.on('aborted', () => out.destroy());
        request.pipe(out);
      }),
  };
}
