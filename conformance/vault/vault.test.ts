import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { createCrlFetcher } from '../../src/server/fetch-crl.ts';
import { createJsonFetcher } from '../../src/server/fetch-json.ts';
import { createClusterReader, createTokenReviewer } from '../../src/server/token-review.ts';
import { listenVault } from '../../src/server/vault-listener.ts';
import { createCatalogue } from '../../src/vault/catalogue.ts';
import { createMemoryPhysical } from '../../src/vault/core/physical-memory.ts';
import { VaultCore } from '../../src/vault/core/vault-core.ts';
import { generateKeyPair } from '../../src/x509/keys.ts';
import { createRoot } from '../../src/x509/templates/root.ts';
import { issueWorkload } from '../../src/x509/templates/workload.ts';
import { roleTokenCasesOf } from './cases-role-tokens.ts';
import { inProcess } from './in-process.ts';
import { overHttp } from './over-http.ts';
import { runCases } from './run-cases.ts';
import { enable } from './steps.ts';

async function openCore(): Promise<{ core: VaultCore; key: string }> {
  const core = new VaultCore({
    physical: createMemoryPhysical(),
    catalogue: createCatalogue({
      review: createTokenReviewer(),
      readLocal: () => undefined,
      fetchJson: createJsonFetcher(),
      fetchCrl: createCrlFetcher(),
      readCluster: createClusterReader(),
    }),
  });
  const { shares } = await core.init({ shares: 1, threshold: 1 }, 'root');
  for (const share of shares) await core.unseal(share);
  return { core, key: shares[0]?.toString('base64') ?? '' };
}

// Passwords are slow on purpose, and some cases wait for a token to end.
describe('the Vault API, case by case', { timeout: 120_000 }, () => {
  test('called in this process', async () => {
    const { core, key } = await openCore();
    const results = await runCases(inProcess(core), 'root', { unsealKey: key, lanes: 8 });
    expect(results.filter(({ problem }) => problem !== undefined)).toEqual([]);
    await core.close();
  });

  test('over a socket', async () => {
    const { core, key } = await openCore();
    const listener = await listenVault({
      core,
      clock: systemClock,
      log: silentLogger,
      host: '127.0.0.1',
      port: 0,
      openRekey: true,
      openGenerateRoot: true,
    });
    const results = await runCases(overHttp(listener.address), 'root', { unsealKey: key, lanes: 8 });
    expect(results.filter(({ problem }) => problem !== undefined)).toEqual([]);
    await listener.close();
    await core.close();
  });

  test('a role for client certificates has the same token fields', async () => {
    const { core } = await openCore();
    const { root, shown } = await clientCertificate();
    const table = roleTokenCasesOf({
      name: 'cert',
      setup: [enable('cert-f{{id}}', 'cert')],
      role: 'auth/cert-f{{id}}/certs/r',
      body: { certificate: root },
      login: 'auth/cert-f{{id}}/login',
      credentials: {},
      strange: { status: 403, text: 'permission denied' },
    });
    const results = await runCases(inProcess(core, [shown]), 'root', { table, lanes: 8 });
    expect(results).toHaveLength(table.length);
    expect(results.filter(({ problem }) => problem !== undefined)).toEqual([]);
    await core.close();
  });
});

async function clientCertificate(): Promise<{ readonly root: string; readonly shown: Buffer }> {
  const [rootKey, key] = [await generateKeyPair('ec-p256'), await generateKeyPair('ec-p256')];
  const [ttl, now] = [3_600_000, Date.now()];
  const root = await createRoot({ key: rootKey, ttl: 2 * ttl, now });
  const issuer = { certificate: root, privateKey: rootKey.privateKey };
  const uris = ['spiffe://cluster.local/ns/demo/sa/web'];
  const leaf = await issueWorkload({ issuer, publicKey: key.publicKey, uris, ttl, now });
  return { root: root.pem, shown: leaf.der };
}
