import type { InjectorSettings } from './settings.ts';

export type AnnotationType =
  | 'bool'
  | 'int'
  | 'uint'
  | 'float'
  | 'duration'
  | 'quantity'
  | 'csv'
  | 'json-patch'
  | 'text';

export interface AnnotationFact {
  readonly type: AnnotationType;
  /** What an absent annotation means; a present one wins even when it is empty. None: the absence itself counts. */
  readonly default?: string | ((settings: InjectorSettings) => string);
  readonly effect: string;
}

const fact = (type: AnnotationType, fallback: AnnotationFact['default'], effect: string): AnnotationFact =>
  fallback === undefined ? { type, effect } : { type, default: fallback, effect };

/** Every annotation under `vault.hashicorp.com/`, by its name behind the slash. */
export const annotationFacts = {
  'agent-inject': fact('bool', 'false', 'asks for injection'),
  'agent-inject-status': fact('text', undefined, '"injected" means done: the pod is left alone'),
  'agent-inject-containers': fact('csv', undefined, 'containers that get the secrets; absent: all'),
  'agent-inject-default-template': fact(
    'text',
    (s) => s.defaultTemplate,
    'map or json, for secrets without a template',
  ),
  'agent-inject-token': fact('bool', 'false', 'writes the Vault token beside the secrets'),
  'agent-image': fact('text', (s) => s.vaultImage || 'hashicorp/vault:2.0.4', 'image of both agents'),
  'agent-request-namespace': fact(
    'text',
    undefined,
    'only checked to be non-empty; absent: the namespace of the request',
  ),
  'agent-init-first': fact('bool', 'false', 'the init agent goes before all other init containers'),
  'agent-pre-populate': fact('bool', 'true', 'an init agent renders before the pod starts'),
  'agent-pre-populate-only': fact('bool', 'false', 'no sidecar (jobs)'),
  'agent-configmap': fact('text', '', 'the agents read config-init.hcl and config.hcl of this ConfigMap'),
  'agent-extra-secret': fact('text', '', 'Secret mounted at /vault/custom in the agents'),
  'agent-limits-cpu': fact('quantity', (s) => s.cpuLimit, 'CPU limit of the agents'),
  'agent-limits-mem': fact('quantity', (s) => s.memoryLimit, 'memory limit of the agents'),
  'agent-limits-ephemeral': fact(
    'quantity',
    (s) => s.ephemeralStorageLimit,
    'ephemeral storage limit of the agents',
  ),
  'agent-requests-cpu': fact('quantity', (s) => s.cpuRequest, 'CPU request of the agents'),
  'agent-requests-mem': fact('quantity', (s) => s.memoryRequest, 'memory request of the agents'),
  'agent-requests-ephemeral': fact('quantity', (s) => s.ephemeralStorageRequest, 'ephemeral storage request'),
  'agent-revoke-on-shutdown': fact(
    'bool',
    (s) => `${s.revokeOnShutdown}`,
    'the sidecar revokes its token in preStop',
  ),
  'agent-revoke-grace': fact('uint', '5', 'seconds that preStop waits before it revokes'),
  'agent-run-as-user': fact('int', (s) => s.runAsUser || '100', 'uid of the agents'),
  'agent-run-as-group': fact('int', (s) => s.runAsGroup || '1000', 'gid of the agents'),
  'agent-run-as-same-user': fact('bool', (s) => `${s.runAsSameUser}`, 'uid of the first container'),
  'agent-set-security-context': fact(
    'bool',
    (s) => `${s.setSecurityContext}`,
    'gives the agents a securityContext',
  ),
  'agent-share-process-namespace': fact(
    'bool',
    undefined,
    'sets shareProcessNamespace (with an init agent only)',
  ),
  'agent-service-account-token-volume-name': fact('text', '', 'volume that holds the token to log in with'),
  'agent-copy-volume-mounts': fact(
    'text',
    '',
    'the agents get the mounts of this container, tokens excepted',
  ),
  'agent-cache-enable': fact('bool', 'false', 'the agent listens and caches'),
  'agent-cache-listener-port': fact('text', '8200', 'its port on 127.0.0.1'),
  'agent-cache-use-auto-auth-token': fact('text', 'true', 'true, false or force'),
  'agent-cache-exit-on-err': fact('bool', 'false', 'cache.persist.exit_on_err'),
  'agent-enable-quit': fact('bool', 'false', 'POST /agent/v1/quit ends the agent'),
  'agent-auto-auth-exit-on-err': fact('bool', 'false', 'auto_auth.method.exit_on_err'),
  'agent-disable-idle-connections': fact(
    'csv',
    (s) => s.disableIdleConnections,
    'auto-auth, caching, templating',
  ),
  'agent-disable-keep-alives': fact('csv', (s) => s.disableKeepAlives, 'auto-auth, caching, templating'),
  'agent-json-patch': fact('json-patch', '', 'RFC 6902 patch of the sidecar'),
  'agent-init-json-patch': fact('json-patch', '', 'RFC 6902 patch of the init agent'),
  'secret-volume-path': fact('text', '/vault/secrets', 'where the secrets are mounted'),
  'preserve-secret-case': fact('bool', undefined, 'file names keep the case of NAME'),
  namespace: fact('text', (s) => s.vaultNamespace, 'Vault namespace of the login'),
  service: fact('text', (s) => s.vaultAddress, 'address of Vault'),
  'proxy-address': fact('text', (s) => s.proxyAddress, 'HTTPS_PROXY of the agents'),
  'tls-skip-verify': fact('bool', 'false', 'does not verify the certificate of Vault'),
  'tls-secret': fact('text', '', 'Secret mounted at /vault/tls in the agents'),
  'tls-server-name': fact('text', '', 'vault.tls_server_name'),
  'ca-cert': fact('text', '', 'vault.ca_cert'),
  'ca-key': fact('text', '', 'vault.ca_path (misnamed upstream)'),
  'client-cert': fact('text', '', 'vault.client_cert'),
  'client-key': fact('text', '', 'vault.client_key'),
  'client-max-retries': fact('text', '', 'VAULT_MAX_RETRIES'),
  'client-timeout': fact('text', '', 'VAULT_CLIENT_TIMEOUT'),
  'go-max-procs': fact('text', '', 'GOMAXPROCS'),
  'log-level': fact('text', 'info', 'VAULT_LOG_LEVEL'),
  'log-format': fact('text', 'standard', 'VAULT_LOG_FORMAT'),
  role: fact('text', '', 'Vault role of the login'),
  'auth-type': fact('text', (s) => s.vaultAuthType || 'kubernetes', 'auth method'),
  'auth-path': fact('text', (s) => s.vaultAuthPath, 'mount path of the auth method'),
  'auth-min-backoff': fact('duration', (s) => s.authMinBackoff, 'least wait after a failed login'),
  'auth-max-backoff': fact('duration', (s) => s.authMaxBackoff, 'longest wait after a failed login'),
  'template-config-exit-on-retry-failure': fact(
    'bool',
    (s) => `${s.exitOnRetryFailure}`,
    'a template that keeps failing ends the agent',
  ),
  'template-static-secret-render-interval': fact(
    'text',
    (s) => s.staticSecretRenderInterval,
    'how often static secrets are read again',
  ),
  'template-max-connections-per-host': fact(
    'int',
    (s) => `${s.maxConnectionsPerHost}`,
    'connections of the template engine',
  ),
  'template-lease-renewal-threshold': fact('float', '0', 'fraction of a lease after which it is read again'),
} as const satisfies Readonly<Record<string, AnnotationFact>>;

export type AnnotationName = keyof typeof annotationFacts;

/** Annotations that end in `-NAME`, one per secret (or, the last two, per parameter). */
export const namedAnnotationFacts = {
  'agent-inject-secret': fact('text', '', 'path of the secret in Vault'),
  'agent-inject-template': fact('text', '', 'inline template; wins over the file'),
  'agent-inject-template-file': fact('text', '', 'path of a template in the agent'),
  'agent-template-left-delim': fact('text', '', 'left delimiter, {{ by default'),
  'agent-template-right-delim': fact('text', '', 'right delimiter, }} by default'),
  'agent-inject-file': fact('text', '', 'file below the mount instead of NAME'),
  'agent-inject-perms': fact('text', '', 'permissions of the file, octal'),
  'agent-inject-command': fact('text', '', 'command run after the file changed'),
  'error-on-missing-key': fact('bool', 'false', 'a missing key is an error, not "<no value>"'),
  'secret-volume-path': fact('text', undefined, 'another mount for this secret'),
  'preserve-secret-case': fact('bool', undefined, 'the file keeps the case of NAME'),
  'auth-config': fact('text', undefined, 'auto_auth.method.config[NAME], always a string'),
  'agent-telemetry': fact('text', undefined, 'telemetry[NAME]'),
} as const satisfies Readonly<Record<string, AnnotationFact>>;

export type NamedAnnotation = keyof typeof namedAnnotationFacts;
