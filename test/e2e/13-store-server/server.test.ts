import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { VaultClient } from '../../../src/client/vault-client.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { type Run, startMeshroot } from '../../support/meshroot.ts';

let folder: string;
let server: Run | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-server-'));
});
afterEach(async () => {
  server?.child.kill('SIGTERM');
  await server?.ended;
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const addressOf = async (run: Run): Promise<string> =>
  (await run.until(/listening: address=\S+/)).replace(/.*=/, '');

test('-dev-tls serves by a certificate of the CA whose file it names', async () => {
  const flags = [
    '-dev-tls',
    `-dev-tls-cert-dir=${folder}/tls`,
    '-dev-no-store-token',
    '-dev-root-token-id=root',
  ];
  server = startMeshroot(['vault', 'server', ...flags, '-dev-listen-address=127.0.0.1:0']);
  const caFile = `${folder}/tls/vault-ca.pem`;
  await vi.waitFor(() => expect(server?.output.stdout).toContain(`export VAULT_CACERT='${caFile}'`), 20_000);
  const address = await addressOf(server);
  const token = new Secret('root');
  const trusting = new VaultClient({ address, token, caCert: readFileSync(caFile, 'utf8') });
  expect((await trusting.request('GET', 'sys/health')).body).toMatchObject({ sealed: false });
  const stranger = new VaultClient({ address, token, retries: 0 });
  await expect(stranger.read('sys/health')).rejects.toMatchObject({ code: 'vault-unreachable' });
  trusting.close();
  stranger.close();
});

test('the file says how long leases last, where clients go and where the log is; SIGHUP opens audit files anew', async () => {
  const [audit, log] = [join(folder, 'audit.log'), join(folder, 'server.log')];
  const config = {
    listener: { tcp: { address: '127.0.0.1:0', tls_disable: true } },
    storage: { inmem: {} },
    audit: { file: { path: 'calls', options: { file_path: audit } } },
    api_addr: 'https://store.example:8200',
    default_lease_ttl: '1h',
    max_lease_ttl: '2h',
    log_file: log,
  };
  writeFileSync(join(folder, 'vault.json'), JSON.stringify(config));
  server = startMeshroot(['vault', 'server', `-config=${folder}/vault.json`]);
  const root = await opened(await addressOf(server));
  const capped = await root.write('auth/token/create', { ttl: '5h', policies: ['default'] });
  expect(capped?.auth).toMatchObject({ lease_duration: 7200 });
  expect(capped?.warnings).toEqual([
    'TTL of "5h" exceeded the effective max_ttl of "2h"; TTL value is capped accordingly',
  ]);
  expect((await root.write('auth/token/create', { policies: ['default'] }))?.auth).toMatchObject({
    lease_duration: 3600,
  });
  await expect(
    root.write('sys/mounts/x', { type: 'kv', config: { default_lease_ttl: '5h' } }),
  ).rejects.toMatchObject({ errors: ['given default lease TTL greater than system max lease TTL of 7200'] });
  expect((await root.read('sys/ha-status'))?.data).toMatchObject({
    nodes: [{ api_address: 'https://store.example:8200' }],
  });
  renameSync(audit, `${audit}.1`);
  server.child.kill('SIGHUP');
  await server.until(/opened again/);
  await root.read('sys/policies/acl/default');
  expect(readFileSync(audit, 'utf8')).toContain('sys/policies/acl/default');
  expect(readFileSync(`${audit}.1`, 'utf8')).not.toContain('sys/policies/acl/default');
  expect(existsSync(log) && readFileSync(log, 'utf8')).toContain('opened again');
  root.close();
});

/** A client with the root token of a store that it has made and opened. */
async function opened(address: string): Promise<VaultClient> {
  const client = new VaultClient({ address });
  const { body } = await client.request('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
  const made = body as { keys_base64: string[]; root_token: string };
  await client.request('PUT', 'sys/unseal', { key: made.keys_base64[0] });
  return client.withToken(new Secret(made.root_token));
}
