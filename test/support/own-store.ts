import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { startVaultServer } from '../../src/server/vault-server.ts';
import { vaultCaller } from './vault-caller.ts';

/** Our own store on a socket of this process: in memory, unsealed, root token `root`, KV version 2 at secret/. */
export async function ownStore() {
  const closed = { openMetrics: false, askClientCerts: false, openRekey: false, openGenerateRoot: false };
  const listener = { host: '127.0.0.1', port: 0, ...closed };
  const server = await startVaultServer(
    {
      listeners: [listener],
      storage: { type: 'inmem' },
      audit: [],
      auditFolders: [],
      logLevel: 'error',
      logFormat: 'standard',
      metrics: false,
    },
    systemClock,
    silentLogger,
  );
  const { shares } = await server.core.init({ shares: 1, threshold: 1 }, 'root');
  for (const share of shares) await server.core.unseal(share);
  const [address = ''] = server.addresses;
  const call = vaultCaller(address);
  await call('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  return { address, call, close: () => server.close() };
}
