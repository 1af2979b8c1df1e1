import { describe, expect, test } from 'vitest';
import { type AnnotationName, annotationFacts } from '../injector/annotation-facts.ts';
import { Annotations } from '../injector/annotations.ts';
import { type AllSettings, flags, readSettings } from './injector-flags.ts';

/** vault-k8s 1.7.6's flags: variable behind AGENT_INJECT_, default, another value, and the annotation it is the default of. */
type Row = readonly [
  setting: keyof AllSettings,
  env: string,
  fallback: unknown,
  given: string,
  of?: AnnotationName,
];

const table: Readonly<Record<string, Row>> = {
  listen: ['listen', 'LISTEN', ':8080', ':1'],
  'log-level': ['logLevel', 'LOG_LEVEL', 'info', 'err'],
  'log-format': ['logFormat', 'LOG_FORMAT', 'standard', 'json'],
  'vault-address': ['vaultAddress', 'VAULT_ADDR', 'http://needed', 'http://v', 'service'],
  'vault-cacert-bytes': ['vaultCaCertBytes', 'VAULT_CACERT_BYTES', '', 'pem'],
  'vault-image': ['vaultImage', 'VAULT_IMAGE', 'hashicorp/vault:2.0.4', 'i:1', 'agent-image'],
  'vault-auth-type': ['vaultAuthType', 'VAULT_AUTH_TYPE', 'kubernetes', 'jwt', 'auth-type'],
  'vault-auth-path': ['vaultAuthPath', 'VAULT_AUTH_PATH', 'auth/kubernetes', 'auth/x', 'auth-path'],
  'vault-namespace': ['vaultNamespace', 'VAULT_NAMESPACE', '', 'team', 'namespace'],
  'proxy-address': ['proxyAddress', 'PROXY_ADDR', '', 'http://p', 'proxy-address'],
  'tls-auto': ['tlsAuto', 'TLS_AUTO', '', 'cfg'],
  'tls-auto-hosts': ['tlsAutoHosts', 'TLS_AUTO_HOSTS', '', 'a,b'],
  'tls-cert-file': ['tlsCertFile', 'TLS_CERT_FILE', '', 'c'],
  'tls-key-file': ['tlsKeyFile', 'TLS_KEY_FILE', '', 'k'],
  'tls-ca-cert-file': ['tlsCaCertFile', 'TLS_CA_CERT_FILE', '', 'ca'],
  'tls-min-version': ['tlsMinVersion', 'TLS_MIN_VERSION', 'tls12', 'tls13'],
  'tls-cipher-suites': ['tlsCipherSuites', 'TLS_CIPHER_SUITES', '', 'X'],
  'revoke-on-shutdown': ['revokeOnShutdown', 'REVOKE_ON_SHUTDOWN', false, 'true', 'agent-revoke-on-shutdown'],
  'run-as-user': ['runAsUser', 'RUN_AS_USER', '100', '7', 'agent-run-as-user'],
  'run-as-group': ['runAsGroup', 'RUN_AS_GROUP', '1000', '7', 'agent-run-as-group'],
  'run-as-same-user': ['runAsSameUser', 'RUN_AS_SAME_USER', false, 'true', 'agent-run-as-same-user'],
  'set-security-context': [
    'setSecurityContext',
    'SET_SECURITY_CONTEXT',
    true,
    'false',
    'agent-set-security-context',
  ],
  'telemetry-path': ['telemetryPath', 'TELEMETRY_PATH', '', '/metrics'],
  'use-leader-elector': ['useLeaderElector', 'USE_LEADER_ELECTOR', false, 'true'],
  'default-template': ['defaultTemplate', 'DEFAULT_TEMPLATE', 'map', 'json', 'agent-inject-default-template'],
  'cpu-request': ['cpuRequest', 'CPU_REQUEST', '250m', '1', 'agent-requests-cpu'],
  'cpu-limit': ['cpuLimit', 'CPU_LIMIT', '500m', '1', 'agent-limits-cpu'],
  'memory-request': ['memoryRequest', 'MEM_REQUEST', '64Mi', '1Mi', 'agent-requests-mem'],
  'memory-limit': ['memoryLimit', 'MEM_LIMIT', '128Mi', '1Mi', 'agent-limits-mem'],
  'ephemeral-storage-request': [
    'ephemeralStorageRequest',
    'EPHEMERAL_REQUEST',
    '',
    '1Mi',
    'agent-requests-ephemeral',
  ],
  'ephemeral-storage-limit': [
    'ephemeralStorageLimit',
    'EPHEMERAL_LIMIT',
    '',
    '1Mi',
    'agent-limits-ephemeral',
  ],
  'template-config-exit-on-retry-failure': [
    'exitOnRetryFailure',
    'TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE',
    true,
    'false',
    'template-config-exit-on-retry-failure',
  ],
  'template-static-secret-render-interval': [
    'staticSecretRenderInterval',
    'TEMPLATE_STATIC_SECRET_RENDER_INTERVAL',
    '',
    '1m',
    'template-static-secret-render-interval',
  ],
  'auth-min-backoff': ['authMinBackoff', 'AUTH_MIN_BACKOFF', '', '2s', 'auth-min-backoff'],
  'auth-max-backoff': ['authMaxBackoff', 'AUTH_MAX_BACKOFF', '', '2m', 'auth-max-backoff'],
  'disable-idle-connections': [
    'disableIdleConnections',
    'DISABLE_IDLE_CONNECTIONS',
    '',
    'caching',
    'agent-disable-idle-connections',
  ],
  'disable-keep-alives': [
    'disableKeepAlives',
    'DISABLE_KEEP_ALIVES',
    '',
    'caching',
    'agent-disable-keep-alives',
  ],
};

const needed = { AGENT_INJECT_VAULT_ADDR: 'http://needed' };
const known = new Map([['vault-address', 'http://needed']]);

describe("vault-k8s's flags", () => {
  test.each(Object.entries(table))('-%s', (flag, [setting, env, fallback, given, of]) => {
    const typed = typeof fallback === 'boolean' ? given === 'true' : given;
    expect(readSettings(known, {})[setting]).toBe(fallback);
    const byFlag = readSettings(new Map([...known, [flag, given]]), {});
    const byEnv = readSettings(known, { ...needed, [`AGENT_INJECT_${env}`]: given });
    expect([byFlag[setting], byEnv[setting]]).toEqual([typed, typed]);
    if (of === undefined) return;
    expect(new Annotations(new Map(), byEnv).text(of)).toBe(given);
    expect(new Annotations(new Map([[of, 'own']]), byEnv).text(of)).toBe('own');
  });

  test('connections per host, which only the environment sets', () => {
    const env = { ...needed, AGENT_INJECT_TEMPLATE_MAX_CONNECTIONS_PER_HOST: '9' };
    expect(readSettings(new Map(), needed).maxConnectionsPerHost).toBe(0);
    const settings = readSettings(new Map(), env);
    expect(new Annotations(new Map(), settings).text('template-max-connections-per-host')).toBe('9');
  });

  test('are all in this table, and every default of an annotation has its flag', () => {
    const theirs = flags.filter(({ env }) => env[0]?.startsWith('AGENT_INJECT_') && env[0] !== undefined);
    expect(theirs.flatMap(({ flag }) => flag ?? []).sort()).toEqual(Object.keys(table).sort());
    const dependent = Object.entries(annotationFacts).filter(
      ([, fact]) => 'default' in fact && typeof fact.default === 'function',
    );
    const covered = new Set<string | undefined>(Object.values(table).map(([, , , , of]) => of));
    covered.add('template-max-connections-per-host');
    expect(dependent.map(([name]) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});
