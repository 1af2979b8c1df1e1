import { type Command, Option } from 'commander';
import { parseGoBool, parseGoInt } from '../injector/go-values.ts';
import { readOwnOptions } from '../injector/own-options.ts';
import { defaultSettings, type InjectorSettings } from '../injector/settings.ts';
import { MeshrootError, messageOf } from '../lib/errors.ts';

/** What the server itself needs; `InjectorSettings` is what the pods get. */
export interface ServerSettings {
  readonly listen: string;
  readonly logLevel: string;
  readonly logFormat: string;
  readonly telemetryPath: string;
  /** Name of the MutatingWebhookConfiguration whose caBundle is kept. */
  readonly tlsAuto: string;
  /** Comma-separated names and addresses of the certificate made for `tlsAuto`. */
  readonly tlsAutoHosts: string;
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  readonly tlsCaCertFile: string;
  readonly tlsMinVersion: string;
  readonly tlsCipherSuites: string;
  readonly useLeaderElector: boolean;
  /** What namespaces may ask for; see policy-file.ts. */
  readonly policyFile: string;
  /** A refusal becomes an Event, seen by `kubectl get events`. */
  readonly events: boolean;
}

const defaultServer: ServerSettings = {
  listen: ':8080',
  logLevel: 'info',
  logFormat: 'standard',
  telemetryPath: '',
  tlsAuto: '',
  tlsAutoHosts: '',
  tlsCertFile: '',
  tlsKeyFile: '',
  tlsCaCertFile: '',
  tlsMinVersion: 'tls12',
  tlsCipherSuites: '',
  useLeaderElector: false,
  policyFile: '',
  events: false,
};

export type AllSettings = InjectorSettings & ServerSettings;
export const defaults: AllSettings = { ...defaultSettings, ...defaultServer };

export interface Flag {
  /** None: only the environment sets it. */
  readonly flag?: string;
  /** All names, the first non-empty one counts; it overrides the flag, as in vault-k8s. */
  readonly env: readonly string[];
  readonly setting: keyof AllSettings;
  readonly text: string;
}

const ours = (setting: keyof AllSettings, flag: string, env: string, text: string): Flag => ({
  flag,
  env: [`AGENT_INJECT_${env}`],
  setting,
  text,
});
/** vault-k8s reads these also without the prefix. */
const tls = (setting: keyof AllSettings, flag: string, env: string, text: string): Flag => ({
  flag,
  env: [`AGENT_INJECT_${env}`, env],
  setting,
  text,
});

/** What vault-k8s does not have: MESHROOT_... */
const own = (setting: keyof AllSettings, flag: string, text: string): Flag => ({
  flag,
  env: [`MESHROOT_${flag.toUpperCase().replaceAll('-', '_')}`],
  setting,
  text,
});

/** Every flag and environment variable of vault-k8s, and ours at the end. */
export const flags: readonly Flag[] = [
  ours('listen', 'listen', 'LISTEN', 'address to listen on'),
  ours('logLevel', 'log-level', 'LOG_LEVEL', 'trace, debug, info, warn or err'),
  ours('logFormat', 'log-format', 'LOG_FORMAT', 'standard or json'),
  ours('vaultAddress', 'vault-address', 'VAULT_ADDR', 'address of Vault; required'),
  ours('vaultCaCertBytes', 'vault-cacert-bytes', 'VAULT_CACERT_BYTES', 'CA of Vault: PEM, or base64 of it'),
  ours('vaultImage', 'vault-image', 'VAULT_IMAGE', 'image of the agents'),
  ours('vaultAuthType', 'vault-auth-type', 'VAULT_AUTH_TYPE', 'auth method'),
  ours('vaultAuthPath', 'vault-auth-path', 'VAULT_AUTH_PATH', 'mount path of the auth method'),
  ours('vaultNamespace', 'vault-namespace', 'VAULT_NAMESPACE', 'Vault namespace'),
  ours('proxyAddress', 'proxy-address', 'PROXY_ADDR', 'HTTPS_PROXY of the agents'),
  tls(
    'tlsAuto',
    'tls-auto',
    'TLS_AUTO',
    'MutatingWebhookConfiguration whose caBundle to keep; makes the certificate',
  ),
  tls(
    'tlsAutoHosts',
    'tls-auto-hosts',
    'TLS_AUTO_HOSTS',
    'names and addresses of that certificate, comma-separated',
  ),
  tls(
    'tlsCertFile',
    'tls-cert-file',
    'TLS_CERT_FILE',
    'certificate to serve with, PEM; read again when it changes',
  ),
  tls('tlsKeyFile', 'tls-key-file', 'TLS_KEY_FILE', 'its key, PEM'),
  tls(
    'tlsCaCertFile',
    'tls-ca-cert-file',
    'TLS_CA_CERT_FILE',
    'its CA; with -tls-auto NAME kept as caBundle',
  ),
  tls('tlsMinVersion', 'tls-min-version', 'TLS_MIN_VERSION', 'tls10, tls11, tls12 or tls13'),
  tls(
    'tlsCipherSuites',
    'tls-cipher-suites',
    'TLS_CIPHER_SUITES',
    "Go's names, comma-separated; up to TLS 1.2",
  ),
  ours('revokeOnShutdown', 'revoke-on-shutdown', 'REVOKE_ON_SHUTDOWN', 'sidecars revoke their token'),
  ours('runAsUser', 'run-as-user', 'RUN_AS_USER', 'uid of the agents'),
  ours('runAsGroup', 'run-as-group', 'RUN_AS_GROUP', 'gid of the agents'),
  ours(
    'runAsSameUser',
    'run-as-same-user',
    'RUN_AS_SAME_USER',
    'agents run as the uid of the first container',
  ),
  ours('setSecurityContext', 'set-security-context', 'SET_SECURITY_CONTEXT', 'agents get a securityContext'),
  ours('telemetryPath', 'telemetry-path', 'TELEMETRY_PATH', 'path to serve metrics on'),
  ours(
    'useLeaderElector',
    'use-leader-elector',
    'USE_LEADER_ELECTOR',
    'of several replicas only the holder of a Lease takes CAs out of the caBundle',
  ),
  ours('defaultTemplate', 'default-template', 'DEFAULT_TEMPLATE', 'map or json'),
  ours('cpuRequest', 'cpu-request', 'CPU_REQUEST', 'of the agents'),
  ours('cpuLimit', 'cpu-limit', 'CPU_LIMIT', 'of the agents'),
  ours('memoryRequest', 'memory-request', 'MEM_REQUEST', 'of the agents'),
  ours('memoryLimit', 'memory-limit', 'MEM_LIMIT', 'of the agents'),
  ours('ephemeralStorageRequest', 'ephemeral-storage-request', 'EPHEMERAL_REQUEST', 'of the agents'),
  ours('ephemeralStorageLimit', 'ephemeral-storage-limit', 'EPHEMERAL_LIMIT', 'of the agents'),
  ours(
    'exitOnRetryFailure',
    'template-config-exit-on-retry-failure',
    'TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE',
    'template_config.exit_on_retry_failure',
  ),
  ours(
    'staticSecretRenderInterval',
    'template-static-secret-render-interval',
    'TEMPLATE_STATIC_SECRET_RENDER_INTERVAL',
    'template_config.static_secret_render_interval',
  ),
  {
    env: ['AGENT_INJECT_TEMPLATE_MAX_CONNECTIONS_PER_HOST'],
    setting: 'maxConnectionsPerHost',
    text: 'template_config.max_connections_per_host',
  },
  ours('authMinBackoff', 'auth-min-backoff', 'AUTH_MIN_BACKOFF', 'least wait after a failed login'),
  ours('authMaxBackoff', 'auth-max-backoff', 'AUTH_MAX_BACKOFF', 'longest wait after a failed login'),
  ours(
    'disableIdleConnections',
    'disable-idle-connections',
    'DISABLE_IDLE_CONNECTIONS',
    'auto-auth, caching, templating',
  ),
  ours('disableKeepAlives', 'disable-keep-alives', 'DISABLE_KEEP_ALIVES', 'auto-auth, caching, templating'),
  {
    flag: 'cluster',
    env: ['MESHROOT_CLUSTER'],
    setting: 'cluster',
    text: "this cluster's name in Vault, for meshroot.io/istio-ca",
  },
  own(
    'nativeSidecar',
    'native-sidecar',
    'one agent as native sidecar with a startup probe (Kubernetes >= 1.29)',
  ),
  own('seccompProfile', 'seccomp-profile', 'of the agents: RuntimeDefault, Unconfined or Localhost/FILE'),
  own(
    'policyFile',
    'policy-file',
    'YAML: stores, roles and images that namespaces may ask for; read again when it changes',
  ),
  own('events', 'events', 'a refused pod becomes an Event of its namespace (in a cluster)'),
  own(
    'configMaps',
    'config-maps',
    'configurations of agents above 32 KiB go into ConfigMaps, which the injector writes (in a cluster)',
  ),
  own('tmpfsSizeLimit', 'tmpfs-size-limit', 'most bytes of each volume in memory, e.g. 1Mi'),
];

/**
 * Flags over defaults, the environment over flags.
 * @param given what was on the command line, by flag name
 * @throws MeshrootError `bad-setting`
 */
export function readSettings(
  given: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): AllSettings {
  const settings: Record<string, unknown> = { ...defaults };
  for (const flag of flags) {
    const name = flag.env.find((candidate) => (env[candidate] ?? '') !== '');
    const fromFlag = flag.flag === undefined ? undefined : given.get(flag.flag);
    const text = name === undefined ? fromFlag : env[name];
    if (text !== undefined) settings[flag.setting] = parse(text, flag.setting, name ?? `-${flag.flag}`);
  }
  return check(settings as unknown as AllSettings); // each member was parsed as the type of its default
}

function parse(text: string, setting: keyof AllSettings, source: string): string | boolean | number {
  try {
    if (typeof defaults[setting] === 'boolean') return parseGoBool(text);
    return typeof defaults[setting] === 'number' ? parseGoInt(text) : text;
  } catch (error) {
    throw new MeshrootError('bad-setting', `${source}: ${messageOf(error)}`, { hint: `given was "${text}"` });
  }
}

function check(settings: AllSettings): AllSettings {
  if (settings.vaultAddress === '') {
    throw new MeshrootError('no-vault-address', 'No Vault service configured', {
      hint: 'give -vault-address=URL or AGENT_INJECT_VAULT_ADDR',
      exit: 1,
    });
  }
  if (settings.vaultAuthPath === '')
    throw new MeshrootError('bad-setting', 'Vault Auth Path required', { exit: 1 });
  if (settings.defaultTemplate !== 'map' && settings.defaultTemplate !== 'json') {
    const message = `Invalid default flag type: ${settings.defaultTemplate}`;
    throw new MeshrootError('bad-setting', message, { hint: 'write map or json', exit: 1 });
  }
  try {
    readOwnOptions(new Map(), settings);
  } catch (error) {
    throw new MeshrootError('bad-setting', messageOf(error).replace(/^meshroot\.io\//, '-'), { exit: 1 });
  }
  return settings;
}

/** Gives a command every flag of the table. */
export function addFlags(built: Command): void {
  for (const { flag, env, setting, text } of flags) {
    if (flag === undefined) continue;
    const value = typeof defaults[setting] === 'boolean' ? `[bool]` : '<value>';
    const fallback = defaults[setting] === '' ? '' : `; default ${defaults[setting]}`;
    built.addOption(new Option(`--${flag} ${value}`, `${text} [${env[0]}]${fallback}`));
  }
}

/** The same settings as an environment: the first variable of each flag. */
export function environmentOf(given: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(
    flags.flatMap(({ flag, env: [variable] }) => {
      const value = flag === undefined ? undefined : given.get(flag);
      return value === undefined || variable === undefined ? [] : [[variable, value]];
    }),
  );
}

/** What stood on the command line, by flag name. */
export function givenFlags(built: Command): Map<string, string> {
  const given = new Map<string, string>();
  for (const option of built.options) {
    const value: unknown = built.getOptionValue(option.attributeName());
    if (value !== undefined) given.set(option.long?.slice(2) ?? '', String(value));
  }
  return given;
}
