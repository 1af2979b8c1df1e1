import { readFileSync } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { createCatalogue } from '../vault/catalogue.ts';
import { openLmdbPhysical } from '../vault/core/physical-lmdb.ts';
import { createMemoryPhysical } from '../vault/core/physical-memory.ts';
import { VaultCore } from '../vault/core/vault-core.ts';
import { openAuditSocket } from './audit-socket.ts';
import { createCrlFetcher } from './fetch-crl.ts';
import { createJsonFetcher } from './fetch-json.ts';
import { createClusterReader, createLocalReader, createTokenReviewer } from './token-review.ts';
import type { VaultConfig } from './vault-config.ts';
import { listenVault, type VaultListener } from './vault-listener.ts';
import type { ListenerConfig } from './vault-listener-config.ts';
import { createVaultMetrics } from './vault-metrics.ts';

export interface VaultServer {
  readonly core: VaultCore;
  /** Of each listener, with the real port. */
  readonly addresses: readonly string[];
  /** What SIGHUP asks for: audit files and certificates anew. */
  reload(): void;
  close(): Promise<void>;
}

/** Opens the storage and listens; the store is sealed until somebody unseals it. @throws MeshrootError */
export async function startVaultServer(config: VaultConfig, clock: Clock, log: Logger): Promise<VaultServer> {
  const physical =
    config.storage.type === 'inmem' ? createMemoryPhysical() : openLmdbPhysical(config.storage.path);
  let core: VaultCore | undefined;
  const listeners: VaultListener[] = [];
  const opened = new VaultCore({
    physical,
    clock,
    log,
    catalogue: createCatalogue({
      review: createTokenReviewer(),
      readLocal: createLocalReader(clock),
      fetchJson: createJsonFetcher(),
      fetchCrl: createCrlFetcher(),
      readCluster: createClusterReader(),
    }),
    metrics: createVaultMetrics(() => core, clock),
    auditDevices: config.audit,
    auditFolders: config.auditFolders,
    openAuditSocket,
    ...(config.systemTtls === undefined ? {} : { systemTtls: config.systemTtls }),
    apiAddress: () => config.apiAddress ?? listeners[0]?.address ?? '',
  });
  core = opened;
  const close = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await opened.close();
  };
  try {
    for (const listener of config.listeners) listeners.push(await listen(listener, opened, clock, log));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    core: opened,
    addresses: listeners.map(({ address }) => address),
    close,
    reload: () => {
      opened.services?.audit.reopen();
      for (const [i, { tls }] of config.listeners.entries())
        if (tls !== undefined) listeners[i]?.setTls(readTls(tls));
      log.info('audit files and certificates were opened again');
    },
  };
}

function listen(config: ListenerConfig, core: VaultCore, clock: Clock, log: Logger): Promise<VaultListener> {
  const { tls, ...rest } = config;
  return listenVault({
    core,
    clock,
    log: log.named('http'),
    ...rest,
    ...(tls === undefined ? {} : { tls: readTls(tls) }),
  });
}

function readTls({ certFile, keyFile }: NonNullable<ListenerConfig['tls']>): { cert: string; key: string } {
  try {
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  } catch (error) {
    throw new MeshrootError('bad-tls-file', `the listener's certificate cannot be read: ${messageOf(error)}`);
  }
}
