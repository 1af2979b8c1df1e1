import { describe, expect, test } from 'vitest';
import { applyPatch } from '../lib/json-patch.ts';
import { type AnnotationName, annotationFacts, type NamedAnnotation } from './annotation-facts.ts';
import { inject } from './inject.ts';
import { defaultSettings } from './settings.ts';

/** Every annotation of vault-k8s: what a pod gets without it, and what with it. */

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly resources: Readonly<Record<'limits' | 'requests', Readonly<Record<string, string>>>>;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly lifecycle?: { readonly preStop?: { readonly exec: { readonly command: readonly string[] } } };
}
interface Config {
  readonly auto_auth: {
    readonly method: Readonly<Record<string, unknown>> & {
      readonly config: Readonly<Record<string, unknown>>;
    };
    readonly sink: readonly { readonly config: { readonly path: string } }[];
  };
  readonly vault: Readonly<Record<string, unknown>>;
  readonly template: readonly Readonly<Record<string, unknown>>[];
  readonly template_config: Readonly<Record<string, unknown>>;
  readonly cache?: Readonly<Record<string, unknown>>;
  readonly listener?: readonly Readonly<Record<string, unknown>>[];
  readonly [member: string]: unknown;
}
interface Injected {
  readonly volumes: readonly { readonly name: string; readonly [source: string]: unknown }[];
  readonly names: string;
  readonly app: Container;
  readonly init: Container;
  readonly agent: Container;
  /** Of the sidecar. */
  readonly config: Config;
  readonly share: unknown;
}
type Marks = Readonly<Record<string, string>>;

const tokens = '/var/run/secrets/kubernetes.io/serviceaccount';
const spec = {
  containers: [
    {
      name: 'app',
      image: 'app',
      securityContext: { runAsUser: 4711 },
      volumeMounts: [
        { name: 'token', mountPath: tokens },
        { name: 'data', mountPath: '/data' },
      ],
    },
  ],
  initContainers: [{ name: 'first', image: 'first' }],
  volumes: [
    { name: 'token' },
    { name: 'data' },
    { name: 'own', projected: { sources: [{ serviceAccountToken: { path: 'jwt' } }] } },
  ],
};

/** Undefined: left alone. */
function injected(marks: Marks): Injected | undefined {
  const given = { 'agent-inject': 'true', role: 'r', 'agent-inject-secret-Db': 'kv/db', ...marks };
  const annotations = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`vault.hashicorp.com/${name}`, value]),
  );
  const pod = { metadata: { name: 'p', annotations }, spec };
  const injection = inject(pod, 'demo', { ...defaultSettings, vaultAddress: 'http://vault:8200' });
  if (injection.kind === 'left-alone') return undefined;
  const patched = applyPatch(pod, injection.patch) as {
    spec: {
      containers: Container[];
      initContainers: Container[];
      volumes: Injected['volumes'];
      shareProcessNamespace?: boolean;
    };
  };
  const { containers, initContainers, volumes, shareProcessNamespace: share } = patched.spec;
  const of = (name: string, all: readonly Container[]) => all.find((one) => one.name === name) as Container;
  const agent = containers.find(({ name }) => name !== 'app') as Container;
  const init = initContainers.find(({ name }) => name !== 'first') as Container;
  const names = [...initContainers, ...containers].map(({ name }) => name).join(' ');
  return { volumes, names, app: of('app', containers), init, agent, config: configOf(agent ?? init), share };
}
function configOf(agent: Container | undefined): Config {
  return JSON.parse(Buffer.from(env(agent, 'VAULT_CONFIG') || 'e30=', 'base64').toString());
}
const env = (agent: Container | undefined, name: string): string =>
  agent?.env.find((variable) => variable.name === name)?.value ?? '';
const mountOf = (container: Container, name: string) =>
  container.volumeMounts.find((mount) => mount.name === name)?.mountPath;
const volume = (pod: Injected, name: string) => pod.volumes.find((one) => one.name === name);

/** The value; what to look at; what it is without the annotation, and with it; what else the pod is annotated with. */
type Row = readonly [string, (pod: Injected) => unknown, unknown, unknown, Marks?];

const limit = (side: 'limits' | 'requests', name: string) => (pod: Injected) =>
  pod.agent.resources[side][name];
const variable = (name: string) => (pod: Injected) => env(pod.agent, name);
const method = (pod: Injected) => pod.config.auto_auth.method;
const templateConfig = (name: string) => (pod: Injected) => pod.config.template_config[name];
const vault = (name: string) => (pod: Injected) => pod.config.vault[name];
const rename = '[{"op":"replace","path":"/name","value":"other"}]';
const cached: Marks = { 'agent-cache-enable': 'true' };
const usual = 'first vault-agent-init app vault-agent';

const table: Readonly<Record<AnnotationName, Row>> = {
  'agent-inject': ['false', (pod) => pod.names, usual, undefined],
  'agent-inject-status': ['injected', (pod) => pod.names, usual, undefined],
  'agent-inject-containers': [
    'other',
    (pod) => mountOf(pod.app, 'vault-secrets'),
    '/vault/secrets',
    undefined,
  ],
  'agent-inject-default-template': [
    'JSON',
    (pod) => String(pod.config.template[0]?.contents).includes('toJSON'),
    false,
    true,
  ],
  'agent-inject-token': [
    'true',
    (pod) => pod.config.auto_auth.sink.map(({ config }) => config.path),
    ['/home/vault/.vault-token'],
    ['/home/vault/.vault-token', '/vault/secrets/token'],
  ],
  'agent-image': [
    'mine:1',
    (pod) => [pod.init.image, pod.agent.image],
    Array(2).fill('hashicorp/vault:2.0.4'),
    ['mine:1', 'mine:1'],
  ],
  'agent-request-namespace': ['elsewhere', (pod) => pod.names, usual, usual],
  'agent-init-first': ['true', (pod) => pod.names, usual, 'vault-agent-init first app vault-agent'],
  'agent-pre-populate': ['false', (pod) => pod.names, usual, 'first app vault-agent'],
  'agent-pre-populate-only': ['true', (pod) => pod.names, usual, 'first vault-agent-init app'],
  'agent-configmap': ['cm', (pod) => volume(pod, 'vault-config')?.configMap, undefined, { name: 'cm' }],
  'agent-extra-secret': ['s', (pod) => mountOf(pod.agent, 'extra-secrets'), undefined, '/vault/custom'],
  'agent-limits-cpu': ['1000m', limit('limits', 'cpu'), '500m', '1'],
  'agent-limits-mem': ['1024Mi', limit('limits', 'memory'), '128Mi', '1Gi'],
  'agent-limits-ephemeral': ['1Gi', limit('limits', 'ephemeral-storage'), undefined, '1Gi'],
  'agent-requests-cpu': ['0.5', limit('requests', 'cpu'), '250m', '500m'],
  'agent-requests-mem': ['32Mi', limit('requests', 'memory'), '64Mi', '32Mi'],
  'agent-requests-ephemeral': ['1Mi', limit('requests', 'ephemeral-storage'), undefined, '1Mi'],
  'agent-revoke-on-shutdown': [
    'true',
    (pod) => pod.agent.lifecycle?.preStop?.exec.command[2],
    undefined,
    '/bin/sleep 5 && /bin/vault token revoke -address=http://vault:8200 -self',
  ],
  'agent-revoke-grace': [
    '9',
    (pod) => pod.agent.lifecycle?.preStop?.exec.command[2]?.slice(0, 12),
    '/bin/sleep 5',
    '/bin/sleep 9',
    { 'agent-revoke-on-shutdown': 'true' },
  ],
  'agent-run-as-user': ['1337', (pod) => pod.init.securityContext?.runAsUser, 100, 1337],
  'agent-run-as-group': ['1337', (pod) => pod.agent.securityContext?.runAsGroup, 1000, 1337],
  'agent-run-as-same-user': ['true', (pod) => pod.agent.securityContext?.runAsUser, 100, 4711],
  'agent-set-security-context': ['false', (pod) => pod.agent.securityContext?.runAsNonRoot, true, undefined],
  'agent-share-process-namespace': ['true', (pod) => pod.share, undefined, true],
  'agent-service-account-token-volume-name': [
    'own',
    (pod) => method(pod).config.token_path,
    `${tokens}/token`,
    '/var/run/secrets/vault.hashicorp.com/serviceaccount/jwt',
  ],
  'agent-copy-volume-mounts': ['app', (pod) => mountOf(pod.init, 'data'), undefined, '/data'],
  'agent-cache-enable': [
    'true',
    (pod) => [pod.config.listener?.[0]?.address, pod.config.cache?.use_auto_auth_token],
    [undefined, undefined],
    ['127.0.0.1:8200', 'true'],
  ],
  'agent-cache-listener-port': [
    '8100',
    (pod) => pod.config.listener?.[0]?.address,
    '127.0.0.1:8200',
    '127.0.0.1:8100',
    cached,
  ],
  'agent-cache-use-auto-auth-token': [
    'force',
    (pod) => pod.config.cache?.use_auto_auth_token,
    'true',
    'force',
    cached,
  ],
  'agent-cache-exit-on-err': [
    'true',
    (pod) => pod.config.cache?.persist,
    { type: 'kubernetes', path: '/vault/agent-cache' },
    { type: 'kubernetes', path: '/vault/agent-cache', exit_on_err: true },
    cached,
  ],
  'agent-enable-quit': [
    'true',
    (pod) => pod.config.listener?.[0]?.agent_api,
    undefined,
    { enable_quit: true },
  ],
  'agent-auto-auth-exit-on-err': ['true', (pod) => method(pod).exit_on_err, undefined, true],
  'agent-disable-idle-connections': [
    'caching,templating',
    (pod) => pod.config.disable_idle_connections,
    undefined,
    ['caching', 'templating'],
  ],
  'agent-disable-keep-alives': [
    'auto-auth',
    (pod) => pod.config.disable_keep_alives,
    undefined,
    ['auto-auth'],
  ],
  'agent-json-patch': [rename, (pod) => pod.names, usual, 'first vault-agent-init app other'],
  'agent-init-json-patch': [rename, (pod) => pod.names, usual, 'first other app vault-agent'],
  'secret-volume-path': [
    '/etc/x',
    (pod) => pod.config.template[0]?.destination,
    '/vault/secrets/db',
    '/etc/x/db',
  ],
  'preserve-secret-case': [
    'true',
    (pod) => pod.config.template[0]?.destination,
    '/vault/secrets/db',
    '/vault/secrets/Db',
  ],
  namespace: ['team', (pod) => method(pod).namespace, undefined, 'team'],
  service: ['http://other', vault('address'), 'http://vault:8200', 'http://other'],
  'proxy-address': ['http://proxy', variable('HTTPS_PROXY'), '', 'http://proxy'],
  'tls-skip-verify': ['true', vault('tls_skip_verify'), undefined, true],
  'tls-secret': ['s', (pod) => mountOf(pod.init, 'vault-tls-secrets'), undefined, '/vault/tls'],
  'tls-server-name': ['v', vault('tls_server_name'), undefined, 'v'],
  'ca-cert': ['/ca', vault('ca_cert'), undefined, '/ca'],
  'ca-key': ['/cas', vault('ca_path'), undefined, '/cas'],
  'client-cert': ['/c', vault('client_cert'), undefined, '/c'],
  'client-key': ['/k', vault('client_key'), undefined, '/k'],
  'client-max-retries': ['3', variable('VAULT_MAX_RETRIES'), '', '3'],
  'client-timeout': ['3', variable('VAULT_CLIENT_TIMEOUT'), '', '3'],
  'go-max-procs': ['3', variable('GOMAXPROCS'), '', '3'],
  'log-level': ['debug', variable('VAULT_LOG_LEVEL'), 'info', 'debug'],
  'log-format': ['json', variable('VAULT_LOG_FORMAT'), 'standard', 'json'],
  role: ['other', (pod) => method(pod).config.role, 'r', 'other'],
  'auth-type': ['jwt', (pod) => method(pod).type, 'kubernetes', 'jwt'],
  'auth-path': ['auth/x', (pod) => method(pod).mount_path, 'auth/kubernetes', 'auth/x'],
  'auth-min-backoff': ['2s', (pod) => method(pod).min_backoff, undefined, '2s'],
  'auth-max-backoff': ['2m', (pod) => method(pod).max_backoff, undefined, '2m'],
  'template-config-exit-on-retry-failure': ['false', templateConfig('exit_on_retry_failure'), true, false],
  'template-static-secret-render-interval': [
    '1m',
    templateConfig('static_secret_render_interval'),
    undefined,
    '1m',
  ],
  'template-max-connections-per-host': ['5', templateConfig('max_connections_per_host'), undefined, 5],
  'template-lease-renewal-threshold': ['0.5', templateConfig('lease_renewal_threshold'), undefined, 0.5],
};

const template = (name: string) => (pod: Injected) => pod.config.template[0]?.[name];
const map = '{{ with secret "kv/db" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}';

/** As above, of `annotation-NAME`; the row says NAME. */
const namedTable: Readonly<Record<NamedAnnotation, readonly [name: string, ...Row]>> = {
  'agent-inject-secret': ['other', 'kv/o', (pod) => pod.config.template.length, 1, 2],
  'agent-inject-template': ['Db', 'text', template('contents'), map, 'text'],
  'agent-inject-template-file': ['Db', '/t', template('source'), undefined, '/t'],
  'agent-template-left-delim': ['Db', '[[', template('left_delimiter'), '{{', '[['],
  'agent-template-right-delim': ['Db', ']]', template('right_delimiter'), '}}', ']]'],
  'agent-inject-file': ['Db', 'a/../b', template('destination'), '/vault/secrets/db', '/vault/secrets/b'],
  'agent-inject-perms': ['Db', '0400', template('perms'), undefined, '0400'],
  'agent-inject-command': ['Db', 'true', template('command'), undefined, 'true'],
  'error-on-missing-key': ['Db', 'true', template('error_on_missing_key'), undefined, true],
  'secret-volume-path': [
    'Db',
    '/etc/db',
    (pod) => mountOf(pod.app, 'vault-secrets-custom-0'),
    undefined,
    '/etc/db',
  ],
  'preserve-secret-case': ['Db', 'true', template('destination'), '/vault/secrets/db', '/vault/secrets/Db'],
  'auth-config': ['a-b', 'x', (pod) => method(pod).config.a_b, undefined, 'x'],
  'agent-telemetry': [
    'prometheus-retention-time',
    '24h',
    (pod) => pod.config.telemetry,
    undefined,
    { prometheus_retention_time: '24h' },
  ],
};

const look = (row: Row, marks: Marks): unknown => {
  const pod = injected({ ...row[4], ...marks });
  return pod === undefined ? undefined : row[1](pod);
};

describe('every annotation does what it is for, and nothing when it is absent', () => {
  test.each(Object.entries(table))('%s', (name, row) => {
    const [value, , absent, present] = row;
    expect([look(row, {}), look(row, { [name]: value })]).toEqual([absent, present]);
  });

  test.each(Object.entries(namedTable))('%s-NAME', (name, [suffix, ...row]) => {
    const [value, , absent, present] = row;
    expect([look(row, {}), look(row, { [`${name}-${suffix}`]: value })]).toEqual([absent, present]);
  });

  test('the namespace of the request is only checked', () => {
    expect(() => injected({ 'agent-request-namespace': '' })).toThrow('namespace missing from request');
  });

  test.each(Object.entries(annotationFacts).filter(([, { type }]) => type === 'bool'))(
    '%s refuses what is no bool, but for the case of names',
    (name) => {
      const refusing = () => injected({ [name]: 'yes' });
      if (name === 'preserve-secret-case') expect(refusing).not.toThrow();
      else expect(refusing).toThrow(/parsing "yes": invalid syntax/);
    },
  );
});
