import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { type CaFlags, caSettings } from '../istio/ca-settings.ts';
import { systemClock } from '../lib/clock.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { runCa } from '../server/ca-run.ts';
import { istioLogger } from '../server/istio-log.ts';
import type { Io } from './io.ts';

/** istiod's flags that have nothing to do with its CA: taken, so that its command line works unchanged, and noted. */
const noted = [
  'registries',
  'grpcAddr',
  'httpsAddr',
  'ctrlz_port',
  'ctrlz_address',
  'configDir',
  'domain',
  'keepaliveMaxServerConnectionAge',
  'keepaliveInterval',
  'keepaliveTimeout',
  'log_output_level',
  'log_target',
  'log_stacktrace_level',
  'log_caller',
  'log_as_json',
  'networksConfig',
  'plugins',
  'profile',
  'resync',
  'shutdownDuration',
  'tls-cipher-suites',
  'clusterRegistriesNamespace',
  'kubernetesApiQPS',
  'kubernetesApiBurst',
  'namespace',
  'vklog',
  'appNamespace',
] as const;

interface Options extends Omit<CaFlags, 'meshTrustDomain' | 'vault'> {
  readonly vaultAddress?: string;
  readonly vaultCaCert?: string;
  readonly vaultNamespace?: string;
  readonly vaultTokenFile?: string;
  readonly vaultAuthPath?: string;
  readonly vaultRole?: string;
  readonly vaultJwtFile?: string;
  readonly vaultPki?: string;
  readonly vaultPkiRole?: string;
  readonly vaultTransit?: string;
  readonly vaultTransitKey?: string;
  readonly vaultKvPath?: string;

  readonly secureGRPCAddr?: string;
  readonly monitoringAddr?: string;
  readonly httpAddr?: string;
  readonly meshConfig?: string;
}

const examples = `
examples:
  meshroot ca --root-ca-dir /vault/secrets --listen 127.0.0.1:15012 --kubeconfig ~/.kube/config --cluster cluster1
  meshroot ca --root-ca-dir ./cacerts --listen :15012 --jwks jwks.json --issuer https://kubernetes.default.svc
  ROOT_CA_DIR=/vault/secrets meshroot ca discovery --secureGRPCAddr=:15012 --monitoringAddr=:15014 --httpAddr=:8080
`;

/** `meshroot ca`: an Istio CA that istiod's clients cannot tell from istiod, on the plugged-in files. */
export function command(io: Io): Command {
  const made = new Command()
    .description(
      'Istio CA on plugged-in CA files: CreateCertificate over gRPC, reload, root ConfigMap, metrics',
    )
    .argument('[discovery]', "istiod's own first word, accepted")
    .option('--root-ca-dir <dir>', 'folder of the four files (ROOT_CA_DIR)')
    .option('--listen <host:port>', 'gRPC over TLS (default :15012)')
    .option('--trust-domain <domain>', 'trust domain of the certificates (default cluster.local)')
    .option('--cluster <name>', 'cluster id that callers must name, if they name one (CLUSTER_ID)')
    .option('--kubeconfig <file>', 'cluster that reviews tokens')
    .option('--jwks <file|url>', 'check tokens with these keys instead')
    .option('--issuer <issuer>', 'issuer of those tokens')
    .option('--revocation-window <time>', 'with --jwks: tokens older than that are reviewed too (10m)')
    .option('--signer <kind>', 'what holds the key: file, vault-pki or vault-transit', 'file')
    .option('--reserve-dir <dir>', 'intermediate with an encrypted key that signs while the Vault is away')
    .option('--reserve-passphrase-file <file>', 'what opens that key')
    .option('--ledger <file>', 'a JSON line for every certificate; - for stdout; SIGHUP opens it anew')
    .option(
      '--csr-mode <mode>',
      'strict: names asked for must be the caller’s; compat: ignored, as by istiod',
    )
    .option('--min-rsa-bits <bits>', 'smallest RSA key that is signed: 2048, 3072 or 4096')
    .option('--rate-limit <n/s>', 'certificates of all callers, for example 500/s')
    .option('--caller-rate-limit <n/m>', 'certificates of one pod, for example 30/m')
    .option(
      '--remote-cluster <name=kubeconfig>',
      'further cluster whose tokens are reviewed (repeatable)',
      (one: string, before: string[] = []) => [...before, one],
    )
    .option('--metrics <host:port>', 'Prometheus metrics and /ready')
    .option('--secureGRPCAddr <host:port>', "as --listen, by istiod's name")
    .option('--monitoringAddr <host:port>', "as --metrics, by istiod's name")
    .option('--httpAddr <host:port>', 'serves /ready')
    .option('--meshConfig <file>', 'mesh configuration: its trustDomain is read');
  addVault(made);
  for (const name of noted) made.addOption(made.createOption(`--${name} [value]`).hideHelp());
  return made
    .addHelpText('after', examples)
    .action((word: string | undefined, options: Options & Record<string, unknown>) =>
      start(word, options, io),
    );
}

/** What asks a Vault: to sign, and to remember which machines have joined. */
function addVault(made: Command): void {
  made
    .option('--vault-address <url>', 'Vault that signs (VAULT_ADDR)')
    .option('--vault-ca-cert <file>', 'whom to believe as that Vault (VAULT_CACERT)')
    .option('--vault-namespace <name>', 'its namespace (VAULT_NAMESPACE)')
    .option('--vault-token-file <file>', 'token that somebody else keeps fresh')
    .option('--vault-auth-path <path>', 'or log in with the own service account at this mount')
    .option('--vault-role <role>', 'role of that login')
    .option('--vault-jwt-file <file>', 'service-account token for it')
    .option('--vault-pki <mount>', 'PKI engine of --signer vault-pki (default pki)')
    .option('--vault-pki-role <role>', 'its role: use_csr_sans=false, require_cn=false, no_store=true')
    .option('--vault-transit <mount>', 'transit engine of --signer vault-transit (default transit)')
    .option('--vault-transit-key <name>', 'its key, for which the intermediate was issued')
    .option(
      '--vault-kv-path <path>',
      'ca_cert, cert_chain and root_cert of it (default: files of --root-ca-dir)',
    )
    .option(
      '--join-once',
      'a token that is bound to no pod (of a VM) gives one certificate, then renewal by it',
    )
    .option(
      '--join-kv-path <path>',
      'the same, remembered in this Vault for all replicas: secret/data/meshroot/joined',
    );
}

async function start(
  word: string | undefined,
  options: Options & Record<string, unknown>,
  io: Io,
): Promise<void> {
  if (word !== undefined && word !== 'discovery') {
    throw new MeshrootError('unknown-word', `"${word}" is not a part of meshroot ca`, {
      hint: 'see: meshroot ca --help',
    });
  }
  const discovery = word === 'discovery';
  const settings = caSettings(
    {
      ...options,
      listen: options.listen ?? options.secureGRPCAddr,
      metrics: options.metrics ?? options.monitoringAddr ?? (discovery ? ':15014' : undefined),
      vault: {
        address: options.vaultAddress,
        caCert: options.vaultCaCert,
        namespace: options.vaultNamespace,
        tokenFile: options.vaultTokenFile,
        authPath: options.vaultAuthPath,
        role: options.vaultRole,
        jwtFile: options.vaultJwtFile,
        pki: options.vaultPki,
        pkiRole: options.vaultPkiRole,
        transit: options.vaultTransit,
        transitKey: options.vaultTransitKey,
        kvPath: options.vaultKvPath,
      },
      http: options.httpAddr ?? (discovery ? ':8080' : undefined),
      meshTrustDomain: await meshTrustDomain(options.meshConfig),
    },
    io.env,
  );
  const log = istioLogger(io.stdout, systemClock, { debug: io.env.MESHROOT_DEBUG !== undefined });
  const given = noted.filter((name) => options[camel(name)] !== undefined);
  if (given.length > 0) log.info(`not used by meshroot ca: ${given.map((name) => `--${name}`).join(' ')}`);
  let reopen = () => {};
  const hangup = () => reopen();
  const onHangup = (listener: () => void) => {
    reopen = listener;
  };
  process.on('SIGHUP', hangup);
  try {
    await runCa({ settings, env: io.env, clock: systemClock, log, signal: io.signal, onHangup });
  } finally {
    process.off('SIGHUP', hangup);
  }
  leaveSoon(io);
}

/** All is answered and closed by now; a review that an API server never answers must not keep the process. */
function leaveSoon(io: Io): void {
  if (io.stdout === process.stdout) setTimeout(() => process.exit(io.exitCode), 1000).unref();
}

/** commander's name of an option in its values. */
function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** trustDomain of a MeshConfig; without --meshConfig the file of the chart, when it is there. */
async function meshTrustDomain(path: string | undefined): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path ?? './etc/istio/config/mesh', 'utf8');
  } catch (error) {
    if (path === undefined) return undefined;
    throw new MeshrootError(
      'mesh-config-unreadable',
      `cannot read --meshConfig ${path}: ${codeOf(error) ?? messageOf(error)}`,
    );
  }
  const { parse } = await import('yaml');
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (error) {
    throw new MeshrootError(
      'bad-mesh-config',
      `the mesh configuration is not YAML: ${messageOf(error).split('\n')[0]}`,
    );
  }
  if (typeof parsed !== 'object' || parsed === null || !('trustDomain' in parsed)) return undefined;
  return typeof parsed.trustDomain === 'string' && parsed.trustDomain !== '' ? parsed.trustDomain : undefined;
}
