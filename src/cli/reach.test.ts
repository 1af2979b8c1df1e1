import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestPki, testPki } from '../agent/test-tls.ts';
import { loadMesh } from '../mesh/load.ts';
import { reachOf } from './reach.ts';

describe('the Vault of a mesh.yaml, over TLS', () => {
  let folder: string;
  let pki: TestPki;
  let server: Server;
  let address: string;
  /** Namespace and token of each request. */
  const seen: unknown[] = [];
  const env = { VAULT_TOKEN: 'main', US_TOKEN: 'other' };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reach-'));
    pki = await testPki();
    const own = await pki.server('vault.internal');
    await writeFile(join(folder, 'ca.pem'), pki.ca);
    await pki.save(folder, 'me', await pki.client('me'));
    const tls = { cert: own.cert, key: own.key, ca: pki.ca, requestCert: true, rejectUnauthorized: true };
    server = createServer(tls, ({ headers }, response) => {
      seen.push([headers['x-vault-namespace'], headers['x-vault-token']]);
      response.end('{"request_id":"r","data":{"x":1}}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `https://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  async function reachWith(vault: string, clusters = '[{ name: eu }]') {
    const file = join(folder, `${Math.random()}.yaml`);
    const head = 'apiVersion: meshroot/v1\nkind: Mesh\n';
    await writeFile(file, `${head}vault: { address: "${address}"${vault} }\nclusters: ${clusters}\n`);
    return reachOf(await loadMesh(file), env);
  }
  const whole = ', caCert: ca.pem, clientCert: me.crt, clientKey: me.key, serverName: vault.internal';

  test('is verified by its own authority and name, and shown the certificate of mesh.yaml', async () => {
    const { vault } = await reachWith(whole);
    expect((await vault.read('x'))?.data).toEqual({ x: 1 });
    vault.close();
  });

  test.each([
    ['its authority is not named', ', clientCert: me.crt, clientKey: me.key, serverName: vault.internal'],
    ['its name is another', ', caCert: ca.pem, clientCert: me.crt, clientKey: me.key'],
    ['it wants a certificate and gets none', ', caCert: ca.pem, serverName: vault.internal'],
  ])('is not talked to when %s', async (_, words) => {
    const before = seen.length;
    const { vault } = await reachWith(words);
    await expect(vault.read('x')).rejects.toMatchObject({ code: 'vault-unreachable' });
    expect(seen).toHaveLength(before);
    vault.close();
  });

  test('a PEM file that is not there is told with its path', async () => {
    await expect(reachWith(', caCert: gone.pem')).rejects.toMatchObject({
      code: 'no-vault-tls',
      message: `${join(folder, 'gone.pem')} is not there`,
    });
  });

  test("a cluster's own namespace and token go with what is asked for it, and with nothing else", async () => {
    const clusters = '[{ name: eu }, { name: us, vault: { namespace: team, tokenEnv: US_TOKEN } }]';
    const reach = await reachWith(`${whole}, namespace: platform`, clusters);
    seen.length = 0;
    for (const name of ['eu', 'us']) await reach.vaultOf?.(name).read('x');
    expect(seen).toEqual([
      ['platform', 'main'],
      ['team', 'other'],
    ]);
    for (const name of ['eu', 'us']) reach.vaultOf?.(name).close();
  });
});
