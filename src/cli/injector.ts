import { networkInterfaces } from 'node:os';
import { Command, Option } from 'commander';
import type { CertificateSource } from '../injector/certificate-source.ts';
import type { CaBundleKeeper } from '../injector/keep-ca-bundle.ts';
import { createMetrics } from '../injector/metrics.ts';
import { tlsSettings } from '../injector/tls-settings.ts';
import { createWebhook, drain, type Webhook } from '../injector/webhook.ts';
import { systemClock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { type AllSettings, defaults, flags, readSettings } from './injector-flags.ts';
import { hclogLogger } from './injector-log.ts';
import type { Io } from './io.ts';

const examples = `
examples:
  # in a cluster: makes its own certificate and keeps the caBundle of its registration
  meshroot injector -vault-address=https://vault.example:8200 -tls-auto=vault-agent-injector-cfg \\
    -tls-auto-hosts=vault-agent-injector-svc.vault.svc

  # anywhere, with a certificate from files (read again when they change)
  meshroot injector -listen=127.0.0.1:8443 -vault-address=http://127.0.0.1:8200 -tls-cert-file=t.crt -tls-key-file=t.key

  # with the arguments of vault-k8s
  AGENT_INJECT_VAULT_ADDR=https://vault.example:8200 meshroot injector agent-inject

every flag has an environment variable (AGENT_INJECT_...) that overrides it when it is not empty`;

/** `meshroot injector`: the admission webhook; stands in for `vault-k8s`. */
export function command(io: Io): Command {
  const built = new Command()
    .description('injects Vault agents into annotated pods (stands in for vault-k8s)')
    .argument('[words...]', 'agent-inject, as vault-k8s wants it; what follows it is ignored')
    .option(
      '--kubeconfig <file>',
      'cluster whose webhook configuration to keep (with -tls-auto); default: the own pod',
    )
    .addHelpText('after', examples);
  for (const { flag, env, setting, text } of flags) {
    if (flag === undefined) continue;
    const value = typeof defaults[setting] === 'boolean' ? `[bool]` : '<value>';
    const fallback = defaults[setting] === '' ? '' : `; default ${defaults[setting]}`;
    built.addOption(new Option(`--${flag} ${value}`, `${text} [${env[0]}]${fallback}`));
  }
  return built.action(async (words: string[], options: Record<string, unknown>) => {
    if (words[0] !== undefined && words[0] !== 'agent-inject') {
      throw new MeshrootError('unknown-command', `"${words[0]}" is not a command of meshroot injector`, {
        hint: 'see: meshroot injector --help',
      });
    }
    const kubeconfig = typeof options.kubeconfig === 'string' ? options.kubeconfig : undefined;
    await serve(readSettings(givenFlags(built), io.env), kubeconfig, io);
  });
}

function givenFlags(built: Command): Map<string, string> {
  const given = new Map<string, string>();
  for (const option of built.options) {
    const value: unknown = built.getOptionValue(option.attributeName());
    if (value !== undefined) given.set(option.long?.slice(2) ?? '', String(value));
  }
  return given;
}

async function serve(settings: AllSettings, kubeconfig: string | undefined, io: Io): Promise<void> {
  const log = hclogLogger(io.stderr, systemClock, settings.logLevel, settings.logFormat);
  const tls = tlsSettings(settings.tlsMinVersion, settings.tlsCipherSuites);
  const source = await certificateSource(settings, log.named('tls'));
  const secure = () => ({ ...tls, cert: source.current.certificate, key: source.current.key.reveal() });
  const app = createWebhook({
    settings,
    metrics: createMetrics(),
    telemetryPath: settings.telemetryPath,
    tls: secure(),
    clock: systemClock,
    log: log.named('handler'),
  });
  const stop = new AbortController();
  const keeping =
    settings.tlsAuto === '' ? undefined : await caKeeping(settings, source, kubeconfig, log.named('tls'), io);
  const survive = (task: Promise<void>) =>
    task.catch((error) => log.error('stopped', { error: messageOf(error) }));
  const background = [
    survive(
      source.follow(() => {
        app.server.setSecureContext(secure());
        void keeping?.keeper.heal(stop.signal);
      }, stop.signal),
    ),
  ];
  try {
    const { host, port } = await listen(app, settings.listen);
    log.info(`Listening on "${host}:${port}"...`);
    if (keeping !== undefined) background.push(survive(keeping.keeper.follow(stop.signal)));
    await aborted(io.signal);
    log.info('shutting down: answering what is under way');
    await drain(app, systemClock);
  } finally {
    stop.abort();
    await Promise.allSettled(background);
    keeping?.close();
  }
}

async function certificateSource(settings: AllSettings, log: Logger): Promise<CertificateSource> {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, tlsCaCertFile: caFile } = settings;
  if (certFile !== '' || keyFile !== '') {
    const { fileCertificate } = await import('../injector/file-certificate.ts');
    return fileCertificate({ certFile, keyFile, caFile }, systemClock, log);
  }
  if (settings.tlsAuto === '') {
    throw new MeshrootError('no-certificate', 'an admission webhook needs a certificate', {
      hint: 'give -tls-auto=NAME of the webhook configuration, or -tls-cert-file and -tls-key-file',
    });
  }
  const hosts = settings.tlsAutoHosts.split(',').map((host) => host.trim());
  const { selfMadeCertificate } = await import('../injector/self-made-certificate.ts');
  return selfMadeCertificate(
    hosts.filter((host) => host !== ''),
    systemClock,
    log,
  );
}

interface Keeping {
  readonly keeper: CaBundleKeeper;
  /** Lets go of the connections to the API server. */
  close(): void;
}

/** Loaded only when asked for: the Kubernetes client costs a third of the start. */
async function caKeeping(
  settings: AllSettings,
  source: CertificateSource,
  kubeconfig: string | undefined,
  log: Logger,
  io: Io,
): Promise<Keeping> {
  const [{ connect }, { CaBundleKeeper }, { mergeCaBundle }] = await Promise.all([
    import('../kube/connect.ts'),
    import('../injector/keep-ca-bundle.ts'),
    import('../injector/self-made-certificate.ts'),
  ]);
  const kube = await connect({ kubeconfig, env: io.env });
  const ownFiles = settings.tlsCertFile !== '';
  const merge = (old: string): string => {
    const own = source.caBundle;
    if (own === undefined) return old; // certificate files without their CA: somebody else keeps the bundle
    return ownFiles ? own : mergeCaBundle(old, own, systemClock.now());
  };
  const keeper = new CaBundleKeeper({ kube, name: settings.tlsAuto, merge, clock: systemClock, log });
  return { keeper, close: () => kube.close() };
}

async function listen(app: Webhook, address: string): Promise<{ host: string; port: number }> {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(address);
  if (match === null) {
    throw new MeshrootError('bad-setting', `"${address}" is not an address to listen on`, {
      hint: 'write for example :8080 or 127.0.0.1:8443',
    });
  }
  const host = match[1] ?? match[2] ?? '';
  try {
    await app.listen({ port: Number(match[3]), host: host === '' ? everyAddress() : host });
  } catch (error) {
    throw new MeshrootError(
      codeOf(error) === 'EADDRINUSE' ? 'port-taken' : 'cannot-listen',
      `cannot listen on ${address}: ${messageOf(error)}`,
      {
        hint: 'give another -listen=HOST:PORT',
      },
    );
  }
  const bound = app.server.address();
  return { host, port: typeof bound === 'object' && bound !== null ? bound.port : Number(match[3]) };
}

/** IPv6 and IPv4 where both are; a kernel without IPv6 has no `::` to listen on. */
function everyAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return addresses.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
