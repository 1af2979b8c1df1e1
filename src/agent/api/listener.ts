import { chmodSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import type { ListenerSettings } from '../config/config.ts';

export interface RunningListener {
  /** `http://127.0.0.1:8200`, or the path of the socket. */
  readonly url: string;
  /** Reads certificate and key anew. @throws when they cannot be read or do not belong together; the old ones stay */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens one listener.
 * @throws MeshrootError `listener` when the address is taken or a certificate cannot be read
 */
export async function openListener(
  settings: ListenerSettings,
  handler: http.RequestListener,
): Promise<RunningListener> {
  try {
    const context = await secureContext(settings);
    const server = context === undefined ? http.createServer(handler) : https.createServer(context, handler);
    await listen(server, settings);
    return {
      url: urlOf(server, settings),
      reload: async () => {
        const fresh = await secureContext(settings);
        if (fresh !== undefined && server instanceof https.Server) server.setSecureContext(fresh);
      },
      close: () => closed(server),
    };
  } catch (error) {
    throw new MeshrootError(
      'listener',
      `error initializing listener ${settings.address}: ${messageOf(error)}`,
      {
        exit: 1,
        cause: error,
      },
    );
  }
}

async function secureContext({ tls }: ListenerSettings): Promise<https.ServerOptions | undefined> {
  if (tls === undefined) return undefined;
  const cert = await readFile(tls.certFile); // in turn, so that of two files that are missing the same one is named each time
  const key = await readFile(tls.keyFile);
  const base = { minVersion: tls.minVersion, cert, key };
  if (tls.clients === 'any') return base;
  const trusted = tls.clientCaFile === undefined ? {} : { ca: await readFile(tls.clientCaFile) };
  return { ...base, ...trusted, requestCert: true, rejectUnauthorized: true };
}

function listen(server: http.Server, { type, address, socketMode }: ListenerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    if (type === 'unix') {
      rmSync(address, { force: true }); // what a killed agent left
      server.listen(address, () => {
        if (socketMode !== undefined) chmodSync(address, socketMode);
        resolve();
      });
      return;
    }
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
    if (port === '') return reject(new Error('it is no host:port'));
    server.listen(Number(port), host.replace(/^\[|\]$/g, ''), resolve);
  });
}

function urlOf(server: http.Server, { type, address, tls }: ListenerSettings): string {
  if (type === 'unix') return address;
  const { address: host, port } = server.address() as AddressInfo;
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function closed(server: http.Server): Promise<void> {
  server.closeIdleConnections();
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return done;
}
