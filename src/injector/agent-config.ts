import { posix } from 'node:path';
import type { AgentOptions } from './agent-options.ts';
import type { Annotations } from './annotations.ts';
import { omitEmpty } from './omit-empty.ts';
import { refusal } from './refusal.ts';
import type { SecretFile } from './secrets.ts';
import { readTelemetry } from './telemetry.ts';

export const tokenFile = '/home/vault/.vault-token';

type Stanza = Readonly<Record<string, unknown>>;

/** The Vault Agent configuration of the init agent or of the sidecar, as the JSON that VAULT_CONFIG carries. */
export type AgentConfig = (init: boolean) => Stanza;

/** What both agents of a pod have in common is made once. */
export function agentConfig(options: AgentOptions, annotations: Annotations): AgentConfig {
  const auto_auth = autoAuth(options, annotations);
  const vault = vaultStanza(options, annotations);
  const template = options.secrets.map((secret) => templateStanza(secret, options.defaultTemplate));
  const template_config = templateConfig(options, annotations);
  const last = omitEmpty({
    disable_idle_connections: annotations.csv('agent-disable-idle-connections'),
    disable_keep_alives: annotations.csv('agent-disable-keep-alives'),
    telemetry: readTelemetry(annotations).stanza,
  });
  return (init) => {
    const cache = cacheStanza(options, annotations, init);
    const listening = cache !== undefined || options.enableQuit;
    return {
      auto_auth,
      exit_after_auth: init,
      pid_file: '/home/vault/.pid',
      vault,
      ...omitEmpty({
        template,
        listener: listening ? [listener(options, annotations)] : [],
        cache: cache ?? (options.enableQuit ? {} : undefined),
      }),
      template_config,
      ...last,
    };
  };
}

function autoAuth(options: AgentOptions, annotations: Annotations): Stanza {
  const method = {
    type: annotations.text('auth-type'),
    ...omitEmpty({
      mount_path: annotations.text('auth-path'),
      min_backoff: annotations.text('auth-min-backoff'),
      max_backoff: annotations.text('auth-max-backoff'),
      namespace: annotations.text('namespace'),
      config: authConfig(options, annotations),
      exit_on_err: options.autoAuthExitOnErr,
    }),
  };
  const tokenBesideSecrets = cleanJoin(annotations.text('secret-volume-path'), 'token');
  const sinks = options.injectToken ? [tokenFile, tokenBesideSecrets] : [tokenFile];
  return { method, sink: sinks.map((path) => ({ type: 'file', config: { path } })) };
}

/** `auth-config-PARAM` may override the path of the token; `role` overrides `auth-config-role`. */
function authConfig({ tokenVolume }: AgentOptions, annotations: Annotations): Stanza {
  const given = annotations
    .allNamed('auth-config')
    .map(([name, value]) => [name.replaceAll('-', '_'), value] as const);
  const role = annotations.text('role');
  return {
    token_path: cleanJoin(tokenVolume.mountPath, tokenVolume.tokenPath),
    ...Object.fromEntries(given),
    ...(role === '' ? {} : { role }),
  };
}

function vaultStanza(options: AgentOptions, annotations: Annotations): Stanza {
  return {
    address: annotations.text('service'),
    ...omitEmpty({
      ca_cert: annotations.text('ca-cert'),
      ca_path: annotations.text('ca-key'),
      tls_skip_verify: options.tlsSkipVerify,
      client_cert: annotations.text('client-cert'),
      client_key: annotations.text('client-key'),
      tls_server_name: annotations.text('tls-server-name'),
    }),
  };
}

/** Vault's documented default templates for a secret that has none. */
const defaultTemplates: Readonly<Record<'map' | 'json', (path: string) => string>> = {
  map: (path) =>
    `{{ with secret "${path}" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}`,
  json: (path) => `{{ with secret "${path}" }}{{ .Data | toJSON }}\n{{ end }}`,
};

/** Where the agent writes a secret. */
export function destinationOf(secret: SecretFile): string {
  return secret.file === '' ? `${secret.mountPath}/${secret.name}` : cleanJoin(secret.mountPath, secret.file);
}

function templateStanza(secret: SecretFile, defaultTemplate: 'map' | 'json'): Stanza {
  const inline = secret.template === '' && secret.templateFile === '';
  return {
    destination: destinationOf(secret),
    ...omitEmpty({
      contents: inline ? defaultTemplates[defaultTemplate](secret.path) : secret.template,
      source: secret.templateFile,
    }),
    left_delimiter: secret.leftDelimiter,
    right_delimiter: secret.rightDelimiter,
    ...omitEmpty({
      command: secret.command,
      perms: secret.perms,
      error_on_missing_key: secret.errorOnMissingKey,
    }),
  };
}

function listener({ enableQuit }: AgentOptions, annotations: Annotations): Stanza {
  const address = `127.0.0.1:${annotations.text('agent-cache-listener-port')}`;
  return {
    type: 'tcp',
    address,
    tls_disable: true,
    ...(enableQuit ? { agent_api: { enable_quit: true } } : {}),
  };
}

/** With persistence both agents cache; without, only the sidecar has a use for it. */
function cacheStanza(options: AgentOptions, annotations: Annotations, init: boolean): Stanza | undefined {
  const useToken = omitEmpty({ use_auto_auth_token: annotations.text('agent-cache-use-auto-auth-token') });
  if (options.cachePersist) {
    const persist = {
      type: 'kubernetes',
      path: '/vault/agent-cache',
      ...omitEmpty({ exit_on_err: options.cacheExitOnErr }),
    };
    return { ...useToken, persist };
  }
  return options.cacheEnable && !options.prePopulateOnly && !init ? useToken : undefined;
}

function templateConfig(options: AgentOptions, annotations: Annotations): Stanza {
  const threshold = options.leaseRenewalThreshold;
  if (!Number.isFinite(threshold)) throw refusal(`json: unsupported value: ${goInfinity(threshold)}`);
  return {
    exit_on_retry_failure: options.exitOnRetryFailure,
    ...omitEmpty({
      static_secret_render_interval: annotations.text('template-static-secret-render-interval'),
      max_connections_per_host: options.maxConnectionsPerHost,
      lease_renewal_threshold: threshold,
    }),
  };
}

function goInfinity(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** Go's path.Join of two parts: cleaned, and without a slash at the end. */
function cleanJoin(folder: string, file: string): string {
  const joined = posix.join(folder, file);
  return joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
}
