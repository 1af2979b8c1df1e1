import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startFixtures } from '../../../conformance/vault/fixtures.ts';

const bin = new URL('../../../bin/meshroot', import.meta.url).pathname;
const procedure = new URL('../../../conformance/clients/hvac/procedure.py', import.meta.url).pathname;
const python = process.env.PYTHON ?? 'python3';
const hasClient = spawnSync(python, ['-c', 'import hvac']).status === 0;

/** A dev server of ours, by its address; `stop` ends it. */
async function startDev(): Promise<{ address: string; stop: () => Promise<void> }> {
  const flags = ['vault', 'server', '-dev', '-dev-root-token-id=root', '-dev-listen-address=127.0.0.1:0'];
  const server = spawn(bin, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = async (): Promise<void> => {
    const gone = once(server, 'exit');
    server.kill('SIGTERM');
    await gone;
  };
  server.stdout.resume();
  for await (const line of createInterface({ input: server.stderr })) {
    const address = /listening: address=(\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      server.stderr.resume();
      return { address, stop };
    }
  }
  throw new Error('the server did not start');
}

test.skipIf(!hasClient)(
  `hvac does the whole procedure (${hasClient ? python : 'skipped: no hvac here'})`,
  async () => {
    const { values, close } = await startFixtures();
    const { address, stop } = await startDev();
    try {
      const env = {
        ...process.env,
        VAULT_ADDR: address,
        VAULT_TOKEN: 'root',
        KUBERNETES_ADDR: values.kubernetes,
        ISTIOD_JWT: values.jwt_istiod,
      };
      const { stdout } = await promisify(execFile)(python, [procedure], { env }).catch((error) => error);
      expect(stdout).toBe(
        ['the_seed', 'approle', 'userpass', 'tokens', 'identity'].map((name) => `ok    ${name}\n`).join(''),
      );
    } finally {
      await stop();
      close();
    }
  },
);
