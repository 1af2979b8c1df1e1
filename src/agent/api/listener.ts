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
  const { tls } = settings;
  try {
    const server =
      tls === undefined
        ? http.createServer(handler)
        : https.createServer(
            {
              minVersion: 'TLSv1.2',
              cert: await readFile(tls.certFile),
              key: await readFile(tls.keyFile),
              ...(tls.clientCaFile === undefined
                ? {}
                : { ca: await readFile(tls.clientCaFile), requestCert: true, rejectUnauthorized: true }),
            },
            handler,
          );
    await listen(server, settings);
    return { url: urlOf(server, settings), close: () => closed(server) };
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
