import { networkInterfaces } from 'node:os';
import { Command } from 'commander';
import type { CertificateSource } from '../injector/certificate-source.ts';
import { createMetrics } from '../injector/metrics.ts';
import type { PolicySource } from '../injector/policy-file.ts';
import { tlsSettings } from '../injector/tls-settings.ts';
import { createWebhook, drain, type Webhook } from '../injector/webhook.ts';
import { systemClock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { explainCommand } from './injector-explain.ts';
import { type AllSettings, addFlags, givenFlags, readSettings } from './injector-flags.ts';
import { injectorKube } from './injector-kube.ts';
import { hclogLogger } from './injector-log.ts';
import { manifestsCommand } from './injector-manifests.ts';
import type { Io } from './io.ts';

const examples = `
examples:
  # in a cluster: makes its own certificate and keeps the caBundle of its registration
  meshroot injector -vault-address=https://vault.example:8200 -tls-auto=vault-agent-injector-cfg \\
    -tls-auto-hosts=vault-agent-injector-svc.vault.svc

  # anywhere, with a certificate from files (read again when they change)
  meshroot injector -listen=127.0.0.1:8443 -vault-address=http://127.0.0.1:8200 -tls-cert-file=t.crt -tls-key-file=t.key

  # what would happen to a pod, and why
  meshroot injector explain pod.yaml -vault-address=https://vault.example:8200

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
  addFlags(built);
  built.enablePositionalOptions().addCommand(explainCommand(io)).addCommand(manifestsCommand(io)); // their flags have the names of ours
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

async function serve(settings: AllSettings, kubeconfig: string | undefined, io: Io): Promise<void> {
  const log = hclogLogger(io.stderr, systemClock, settings.logLevel, settings.logFormat);
  const tls = tlsSettings(settings.tlsMinVersion, settings.tlsCipherSuites);
  const source = await certificateSource(settings, log.named('tls'));
  const policy = await policyOf(settings, log.named('policy'));
  const kube = await injectorKube({ settings, source, kubeconfig, log, env: io.env });
  const secure = () => ({ ...tls, cert: source.current.certificate, key: source.current.key.reveal() });
  const app = createWebhook({
    settings: {
      ...settings,
      get policy() {
        return policy?.current;
      },
    },
    metrics: createMetrics(),
    telemetryPath: settings.telemetryPath,
    tls: secure(),
    clock: systemClock,
    log: log.named('handler'),
    writeConfigMap: kube?.configMaps?.write,
    onRefused: (review, message) => kube?.events?.record(review, message),
  });
  const stop = new AbortController();
  const survive = (task: Promise<void> | undefined) =>
    task?.catch((error) => log.error('stopped', { error: messageOf(error) }));
  const onCertificate = () => {
    app.server.setSecureContext(secure());
    void kube?.keeper?.heal(stop.signal);
  };
  const background = [
    survive(source.follow(onCertificate, stop.signal)),
    survive(policy?.follow(stop.signal)),
  ];
  try {
    const { host, port } = await listen(app, settings.listen);
    log.info(`Listening on "${host}:${port}"...`);
    background.push(
      survive(kube?.keeper?.follow(stop.signal)),
      survive(kube?.configMaps?.keep?.(stop.signal)),
      survive(kube?.elect?.(stop.signal)),
    );
    await aborted(io.signal);
    log.info('shutting down: answering what is under way');
    await drain(app, systemClock);
  } finally {
    stop.abort();
    await Promise.allSettled(background);
    kube?.close();
  }
}

/** Loaded only when there is one: YAML and zod are a tenth of the memory. */
async function policyOf({ policyFile: path }: AllSettings, log: Logger): Promise<PolicySource | undefined> {
  if (path === '') return undefined;
  const { policyFile } = await import('../injector/policy-file.ts');
  return policyFile(path, systemClock, log);
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
