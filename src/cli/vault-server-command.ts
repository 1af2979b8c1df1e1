import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import type { DevTls } from '../server/dev-tls.ts';
import type { VaultConfig } from '../server/vault-config.ts';
import type { VaultServer } from '../server/vault-server.ts';
import type { Io } from './io.ts';

interface Flags {
  readonly config?: string;
  readonly dev?: boolean;
  readonly devRootTokenId?: string;
  readonly devListenAddress?: string;
  readonly devTls?: boolean;
  readonly devTlsCertDir?: string;
  readonly devNoStoreToken?: boolean;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

export function serverCommand(io: Io): Command {
  return new Command('server')
    .description('serves until it is stopped')
    .option('--config <file>', 'configuration in HCL or JSON, as for vault server')
    .option('--dev', 'in memory, unsealed, kv version 2 at secret/: nothing survives')
    .option('--dev-root-token-id <token>', 'the root token of -dev')
    .option(
      '--dev-listen-address <host:port>',
      'where -dev listens (default 127.0.0.1:8200; port 0 takes any)',
    )
    .option('--dev-tls', 'as -dev, with TLS: a CA and a certificate are made for it')
    .option('--dev-tls-cert-dir <folder>', 'where -dev-tls puts its files (default: a new temporary folder)')
    .option('--dev-no-store-token', 'accepted for scripts: the root token is only ever shown, never stored')
    .option('--log-level <level>', 'trace, debug, info, warn or error (default info)')
    .option('--log-format <format>', 'standard or json (default standard)')
    .action((flags: Flags) => serve(io, flags));
}

/**
 * LMDB's binding rejects promises of its own when a commit fails, beside the one that its caller waits for. The request has
 * been refused and the store sealed by then; these echoes must not end the process, anything else still does.
 */
function outliveFailedCommits(): void {
  process.on('unhandledRejection', (reason) => {
    const echo = reason instanceof Error && ('commitError' in reason || reason.stack?.includes('/lmdb/'));
    if (!echo) throw reason;
  });
}

async function serve(io: Io, flags: Flags): Promise<void> {
  outliveFailedCommits();
  // Loaded here, so that `meshroot vault status` starts without them.
  const { parseVaultConfig } = await import('../server/vault-config.ts');
  const { startVaultServer } = await import('../server/vault-server.ts');
  process.umask(0o077); // whatever this process writes is for its user alone
  const isDev = flags.dev === true || flags.devTls === true;
  const devTls = flags.devTls === true ? await devTlsFiles(flags) : undefined;
  const config = isDev
    ? devConfig(flags, devTls, parseVaultConfig)
    : parseVaultConfig(await configText(flags), String(flags.config));
  const log = await logFor(io, flags, config);
  const server = await startVaultServer(config, systemClock, log);
  const reload = (): void => server.reload();
  process.on('SIGHUP', reload);
  try {
    if (isDev) await startDev(io, flags, server, devTls?.caFile);
    announce(io, config, server);
    log.info('listening', { address: server.addresses.join(' ') });
    if (!io.signal.aborted) await once(io.signal, 'abort');
    log.info('shutting down');
  } finally {
    process.off('SIGHUP', reload);
    await server.close();
  }
}

async function configText({ config }: Flags): Promise<string> {
  if (config === undefined) {
    throw new MeshrootError('no-config', 'neither -config nor -dev was given', {
      hint: 'meshroot vault server -dev, or meshroot vault server -config=FILE',
    });
  }
  try {
    return await readFile(config, 'utf8');
  } catch (error) {
    throw new MeshrootError('bad-config', `the configuration cannot be read: ${messageOf(error)}`);
  }
}

const devAddress = ({ devListenAddress = '127.0.0.1:8200' }: Flags): string => devListenAddress;

async function devTlsFiles(flags: Flags): Promise<DevTls> {
  const { makeDevTls } = await import('../server/dev-tls.ts');
  const host = devAddress(flags)
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return makeDevTls(host, flags.devTlsCertDir, systemClock);
}

function devConfig(
  flags: Flags,
  tls: DevTls | undefined,
  parse: (text: string, file: string) => VaultConfig,
): VaultConfig {
  const files = tls && { tls_cert_file: tls.certFile, tls_key_file: tls.keyFile };
  const telemetry = { unauthenticated_metrics_access: true };
  const settings = {
    listener: { tcp: { address: devAddress(flags), telemetry, ...(files ?? { tls_disable: true }) } },
    storage: { inmem: {} },
    unsafe_allow_api_audit_creation: true,
  };
  return parse(JSON.stringify(settings), '-dev-listen-address');
}

async function logFor(io: Io, flags: Flags, config: VaultConfig): Promise<Logger> {
  const { createTextLog, logLevels } = await import('../server/text-log.ts');
  const level =
    flags.logLevel === undefined
      ? config.logLevel
      : logLevels.find((known) => known === flags.logLevel?.toLowerCase());
  if (level === undefined) {
    throw new MeshrootError('bad-log-level', `"${flags.logLevel}" is not a log level`, {
      hint: `one of ${logLevels.join(', ')}`,
    });
  }
  const { alsoToFile } = await import('../server/log-file.ts');
  const stream = config.logFile === undefined ? io.stderr : alsoToFile(io.stderr, config.logFile);
  if ((flags.logFormat ?? config.logFormat) !== 'json') return createTextLog(stream, systemClock, level);
  const { createPinoLog } = await import('../server/pino-log.ts');
  return createPinoLog(stream, level);
}

/** Makes, opens and furnishes the store of -dev, and says how to use it. */
async function startDev(
  io: Io,
  flags: Flags,
  { core, addresses }: VaultServer,
  caFile?: string,
): Promise<void> {
  const { shares, rootToken } = await core.init({ shares: 1, threshold: 1 }, flags.devRootTokenId);
  const [share] = shares;
  if (share === undefined) throw new MeshrootError('dev-failed', 'the store of -dev has no key');
  const key = share.toString('base64');
  await core.unseal(share);
  await core.handle({
    id: 'dev',
    operation: 'update',
    path: 'sys/mounts/secret',
    token: rootToken,
    data: { type: 'kv', options: { version: '2' }, description: 'key/value secret storage' },
    wrapTtl: undefined,
    headers: {},
    remoteAddress: '127.0.0.1',
    remotePort: 0,
  });
  io.stdout.write(
    [
      'WARNING! dev mode is enabled! In this mode, Vault runs entirely in-memory',
      'and starts unsealed with a single unseal key. The root token is already',
      'authenticated to the CLI, so you can immediately begin using Vault.',
      '',
      'You may need to set the following environment variables:',
      '',
      `    $ export VAULT_ADDR='${addresses[0]}'`,
      ...(caFile === undefined ? [] : [`    $ export VAULT_CACERT='${caFile}'`]),
      '',
      'The unseal key and root token are displayed below in case you want to',
      'seal/unseal the Vault or re-authenticate.',
      '',
      `Unseal Key: ${key}`,
      `Root Token: ${rootToken}`,
      '',
      'Development mode should NOT be used in production installations!',
      '',
      '',
    ].join('\n'),
  );
}

/** As Vault's own banner; the last line is what scripts wait for. */
function announce(io: Io, { storage, listeners, logLevel }: VaultConfig, { addresses }: VaultServer): void {
  const rows = [
    ['Api Address', addresses[0] ?? ''],
    ...addresses.map((address, i) => [
      `Listener ${i + 1}`,
      `tcp (addr: "${new URL(address).host}", tls: "${listeners[i]?.tls === undefined ? 'disabled' : 'enabled'}")`,
    ]),
    ['Log Level', logLevel],
    ['Storage', storage.type === 'lmdb' ? `lmdb (path: "${storage.path}")` : 'inmem'],
  ];
  const width = Math.max(...rows.map(([name = '']) => name.length)) + 5;
  io.stdout.write(
    `==> Vault server configuration:\n\n${rows.map(([name = '', value]) => `${name.padStart(width)}: ${value}`).join('\n')}\n\n==> Vault server started! Log data will stream in below:\n\n`,
  );
}
