import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { vaultCaller } from './vault-caller.ts';

/** The `bao` of PATH, or undefined: its tests are skipped then. */
export const baoPath = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'bao'))
  .find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A real OpenBao in development mode: in memory, unsealed, root token `root`. */
export async function baoDev(path: string) {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(
    path,
    [
      'server',
      '-dev',
      '-dev-root-token-id=root',
      `-dev-listen-address=127.0.0.1:${port}`,
      '-dev-no-store-token',
    ],
    {
      stdio: 'ignore',
    },
  );
  for (let i = 0; ; i++) {
    const up = await fetch(`${address}/v1/sys/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) break;
    if (i > 200) throw new Error('bao does not start');
    await delay(50);
  }
  return {
    address,
    call: vaultCaller(address),
    close: () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
