/** Pods that both injectors are asked about: the seed's istiod first, then every annotation, then the bad ones. */

export interface PodCase {
  /** A sentence; also the file name of the golden. */
  readonly name: string;
  readonly namespace?: string;
  readonly pod: unknown;
}

type Json = Record<string, unknown>;
type Marks = Readonly<Record<string, string>>;

const V = 'vault.hashicorp.com/';
const tokenMount = {
  name: 'kube-api-access-x',
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  readOnly: true,
};
const tokenVolume = {
  name: 'kube-api-access-x',
  projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3607 } }] },
};
const app = { name: 'app', image: 'app:1', volumeMounts: [tokenMount] };
const basicSpec: Json = { serviceAccountName: 'app', containers: [app], volumes: [tokenVolume] };

function pod(marks: Marks | undefined, spec: Json = {}, more: Json = {}): Json {
  const annotations = marks === undefined ? {} : { annotations: prefixed(marks) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app-1', namespace: 'demo', ...annotations },
    spec: { ...basicSpec, ...spec },
    ...more,
  };
}

function prefixed(marks: Marks): Json {
  return Object.fromEntries(
    Object.entries(marks).map(([key, value]) => [key.includes('/') ? key : V + key, value]),
  );
}

const basic: Marks = { 'agent-inject': 'true', role: 'app', 'agent-inject-secret-Db-Creds': 'kv/db' };
const on = (name: string, marks: Marks = {}, spec: Json = {}, more: Json = {}): PodCase => ({
  name,
  pod: pod({ ...basic, ...marks }, spec, more),
});

const certs = 'kubernetes-cluster1-secrets/istiod-service/certs';
const seedFiles = ['ca-key', 'ca-cert', 'root-cert', 'cert-chain'];
const seedMarks: Marks = {
  'agent-inject': 'true',
  'agent-init-first': 'true',
  role: 'istiod',
  'auth-path': 'auth/kubernetes-cluster1',
  ...Object.fromEntries(seedFiles.map((file) => [`agent-inject-secret-${file}.pem`, certs])),
  ...Object.fromEntries(
    seedFiles.map((file) => [
      `agent-inject-template-${file}.pem`,
      `{{- with secret "${certs}" -}}\n{{ .Data.${file.replace('-', '_')} }}\n{{ end -}}\n`,
    ]),
  ),
};
const seedSpec: Json = {
  serviceAccountName: 'istiod',
  containers: [
    {
      name: 'discovery',
      image: 'istio/pilot:1.16.0',
      args: ['discovery'],
      env: [{ name: 'ROOT_CA_DIR', value: '/vault/secrets' }],
      resources: { requests: { cpu: '500m', memory: '2048Mi' } },
      securityContext: { runAsNonRoot: true },
      volumeMounts: [
        { name: 'istio-token', mountPath: '/var/run/secrets/tokens', readOnly: true },
        tokenMount,
      ],
    },
  ],
  volumes: [
    {
      name: 'istio-token',
      projected: { sources: [{ serviceAccountToken: { audience: 'istio-ca', path: 'istio-token' } }] },
    },
    tokenVolume,
  ],
};
const inits = [
  { name: 'first', image: 'i:1', resources: { limits: { cpu: '1' } }, volumeMounts: [tokenMount] },
  { name: 'second', image: 'i:2' },
];

const seed: PodCase[] = [
  { name: 'istiod of the seed', namespace: 'istio-system', pod: pod(seedMarks, seedSpec) },
  {
    name: 'istiod of the seed without a sidecar',
    namespace: 'istio-system',
    pod: pod({ ...seedMarks, 'agent-pre-populate-only': 'true' }, seedSpec),
  },
  {
    name: 'istiod that logs in with istio-token',
    namespace: 'istio-system',
    pod: pod({ ...seedMarks, 'agent-service-account-token-volume-name': 'istio-token' }, seedSpec),
  },
  {
    name: 'istiod that asks for run-as-same-user',
    namespace: 'istio-system',
    pod: pod({ ...seedMarks, 'agent-run-as-same-user': 'true' }, seedSpec),
  },
];

const leftAlone: PodCase[] = [
  { name: 'no annotations', pod: pod(undefined) },
  { name: 'inject false', pod: pod({ ...basic, 'agent-inject': 'false' }) },
  { name: 'inject empty', pod: pod({ ...basic, 'agent-inject': '' }) },
  { name: 'already injected', pod: pod({ ...basic, 'agent-inject-status': 'injected' }) },
  { name: 'another status', pod: pod({ ...basic, 'agent-inject-status': 'update' }) },
  { name: 'a running pod', pod: pod(basic, {}, { status: { phase: 'Running' } }) },
  { name: 'a pending pod', pod: pod(basic, {}, { status: { phase: 'Pending' } }) },
];

const placement: PodCase[] = [
  on('one secret'),
  on('no secret at all', { 'agent-inject-secret-Db-Creds': ' ' }),
  on('init containers, agent last', {}, { initContainers: inits }),
  on('init containers, agent first', { 'agent-init-first': 'true' }, { initContainers: inits }),
  on('init first without init containers', { 'agent-init-first': 'T' }),
  on('no init agent', { 'agent-pre-populate': 'false' }, { initContainers: inits }),
  on('pre-populate empty', { 'agent-pre-populate': '' }),
  on('init agent only', { 'agent-pre-populate-only': 'true' }),
  on('no agent at all', { 'agent-pre-populate': 'false', 'agent-pre-populate-only': 'true' }),
  on('two containers', {}, { containers: [app, { name: 'b', image: 'b' }] }),
  on(
    'chosen containers',
    { 'agent-inject-containers': 'b' },
    { containers: [app, { name: 'b', image: 'b' }] },
  ),
  on(
    'containers are not trimmed',
    { 'agent-inject-containers': 'app, b' },
    { containers: [app, { name: 'b', image: 'b' }] },
  ),
  on('no containers chosen', { 'agent-inject-containers': '' }),
  on('share process namespace', { 'agent-share-process-namespace': 'true' }),
  on(
    'share process namespace false',
    { 'agent-share-process-namespace': 'false' },
    { shareProcessNamespace: true },
  ),
  on('share process namespace without init', {
    'agent-share-process-namespace': 'true',
    'agent-pre-populate': 'false',
  }),
  on(
    'share process namespace refused',
    { 'agent-share-process-namespace': 'true' },
    { shareProcessNamespace: false },
  ),
  on(
    'copied mounts',
    { 'agent-copy-volume-mounts': 'app' },
    {
      containers: [
        {
          ...app,
          volumeMounts: [tokenMount, { name: 'data', mountPath: '/data', subPath: 'x', readOnly: true }],
        },
      ],
      volumes: [tokenVolume, { name: 'data', emptyDir: {} }],
    },
  ),
  on('config map', {
    'agent-configmap': 'my-config',
    'tls-secret': 'my-tls',
    'ca-cert': '/vault/tls/ca.crt',
    role: '',
  }),
  on('config map and all of TLS', {
    'agent-configmap': 'my-config',
    'ca-cert': '/c',
    'ca-key': '/k',
    'client-cert': '/cc',
    'client-key': '/ck',
    'tls-skip-verify': 'true',
    'tls-server-name': 'vault',
  }),
  on('extra secret', { 'agent-extra-secret': 'mine' }),
];

const secrets: PodCase[] = [
  on('templates, files, commands, permissions', {
    'agent-inject-template-Db-Creds': '{{ with secret "kv/db" }}{{ .Data.a }}{{ end }}<&>',
    'agent-inject-file-Db-Creds': 'sub/dir/../creds.txt',
    'agent-inject-perms-Db-Creds': '0400',
    'agent-inject-command-Db-Creds': 'kill -HUP 1',
    'error-on-missing-key-Db-Creds': 'true',
    'agent-template-left-delim-Db-Creds': '[[',
    'agent-template-right-delim-Db-Creds': ']]',
  }),
  on('a template from a file', { 'agent-inject-template-file-Db-Creds': '/t/x.ctmpl' }),
  on('an inline template wins over a file', {
    'agent-inject-template-file-Db-Creds': '/t/x',
    'agent-inject-template-Db-Creds': 'x',
  }),
  on('a secret by its template alone', { 'agent-inject-template-only': 'x' }),
  on('a secret by its template file alone', { 'agent-inject-template-file-only': '/t' }),
  on('a secret called file', { 'agent-inject-template-file': 'inline' }),
  on('the file annotation alone declares nothing', {
    'agent-inject-file-x': 'y',
    'agent-inject-perms-x': '0400',
  }),
  on('case preserved', { 'preserve-secret-case': 'true' }),
  on('case preserved for one', {
    'preserve-secret-case-Db-Creds': 'true',
    'agent-inject-secret-Other': 'kv/o',
  }),
  on('a bad value for the case is no error', { 'preserve-secret-case': 'yes' }),
  on('two cases of one name', { 'agent-inject-secret-db-creds': 'kv/db2' }),
  on('another volume path', { 'secret-volume-path': '/etc/secrets' }),
  on(
    'a volume path of its own',
    {
      'secret-volume-path-Db-Creds': '/etc/db',
      'agent-inject-secret-b': 'kv/b',
      'secret-volume-path-b': '/etc/b',
    },
    { initContainers: inits },
  ),
  on('two secrets on one other path', {
    'secret-volume-path-Db-Creds': '/etc/db',
    'agent-inject-secret-b': 'kv/b',
    'secret-volume-path-b': '/etc/db',
  }),
  on('json as default template', { 'agent-inject-default-template': 'JSON' }),
  on('the token beside the secrets', { 'agent-inject-token': 'true' }),
];

const vault: PodCase[] = [
  on('address, namespace, proxy', {
    service: 'https://other:8200',
    namespace: 'team',
    'proxy-address': 'http://proxy:3128',
  }),
  on('TLS', {
    'tls-secret': 's',
    'ca-cert': '/c',
    'ca-key': '/k',
    'client-cert': '/cc',
    'client-key': '/ck',
    'tls-skip-verify': '1',
    'tls-server-name': 'n',
  }),
  on('client settings', {
    'client-max-retries': '5',
    'client-timeout': '9',
    'go-max-procs': '2',
    'log-level': 'debug',
    'log-format': 'json',
  }),
  on('another auth type', {
    'auth-type': 'approle',
    'auth-path': 'auth/approle',
    'auth-config-role-id-file-path': '/x',
    role: '',
  }),
  on('the role by auth-config', {
    role: '',
    'auth-config-role': 'r',
    'auth-config-token-path': '/elsewhere',
  }),
  on(
    'aws',
    { 'auth-type': 'aws', 'auth-config-region': 'eu-west-1' },
    {
      containers: [
        {
          ...app,
          env: [
            { name: 'AWS_ROLE_ARN', value: 'arn:x' },
            { name: 'OTHER', value: 'y' },
          ],
          volumeMounts: [
            tokenMount,
            { name: 'aws', mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount' },
          ],
        },
      ],
    },
  ),
  on('backoffs', { 'auth-min-backoff': '1s', 'auth-max-backoff': '1m30.5s' }),
  on('exit on auth error', { 'agent-auto-auth-exit-on-err': 'true' }),
  on('cache', { 'agent-cache-enable': 'true', 'agent-cache-exit-on-err': 'true' }),
  on('cache without persistence', { 'agent-cache-enable': 'true', 'agent-pre-populate-only': 'true' }),
  on('cache of a sidecar alone', {
    'agent-cache-enable': 'true',
    'agent-pre-populate': 'false',
    'agent-cache-listener-port': '8100',
    'agent-cache-use-auto-auth-token': 'force',
  }),
  on('quit', { 'agent-enable-quit': 'true' }),
  on('quit and cache', { 'agent-enable-quit': 'true', 'agent-cache-enable': 'true' }),
  on('template settings', {
    'template-config-exit-on-retry-failure': 'false',
    'template-static-secret-render-interval': '30s',
    'template-max-connections-per-host': '7',
    'template-lease-renewal-threshold': '0.6',
  }),
  on('connections', {
    'agent-disable-idle-connections': 'auto-auth,caching',
    'agent-disable-keep-alives': 'templating, x',
  }),
  on('telemetry', {
    'agent-telemetry-prometheus-retention-time': '24h',
    'agent-telemetry-disable-hostname': 'true',
    'agent-telemetry-prefix-filter': '["+a","-b"]',
    'agent-telemetry-unknown': 'x',
    'agent-telemetry-maximum-gauge-cardinality': '3',
  }),
  on('telemetry of a wrong type', {
    'agent-telemetry-prometheus-retention-time': '24',
    'agent-telemetry-disable-hostname': 'true',
  }),
  on('telemetry of nothing known', { 'agent-telemetry-unknown': 'x' }),
];

const container: PodCase[] = [
  on('image and resources', {
    'agent-image': 'mine:1',
    'agent-limits-cpu': '1000m',
    'agent-limits-mem': '1024Mi',
    'agent-limits-ephemeral': '0.5Gi',
    'agent-requests-cpu': '0.5',
    'agent-requests-mem': '1000Ki',
    'agent-requests-ephemeral': '1e3',
  }),
  on('odd quantities', {
    'agent-limits-cpu': '0.0000000001',
    'agent-limits-mem': '1.5Ki',
    'agent-requests-cpu': '1500m',
    'agent-requests-mem': '100000',
    'agent-limits-ephemeral': '0',
    'agent-requests-ephemeral': '2048e-3',
  }),
  on('more quantities', {
    'agent-limits-cpu': '+.5k',
    'agent-limits-mem': '1023Ki',
    'agent-requests-cpu': '3n',
    'agent-requests-mem': '1.0001Gi',
    'agent-limits-ephemeral': '12E',
    'agent-requests-ephemeral': '1048576Ki',
  }),
  on('no resources', {
    'agent-limits-cpu': '',
    'agent-limits-mem': '',
    'agent-requests-cpu': '',
    'agent-requests-mem': '',
  }),
  on('revoke on shutdown', {
    'agent-revoke-on-shutdown': 'true',
    'agent-revoke-grace': '7',
    'ca-cert': '/c',
  }),
  on('user and group', { 'agent-run-as-user': '1337', 'agent-run-as-group': '1338' }),
  on('root', { 'agent-run-as-user': '0' }),
  on('user empty is root', { 'agent-run-as-user': '' }),
  on(
    'same user',
    { 'agent-run-as-same-user': 'true' },
    { containers: [{ ...app, securityContext: { runAsUser: 4711 } }] },
  ),
  on('no security context', { 'agent-set-security-context': 'false', 'agent-run-as-user': '5' }),
  on('patches of the agents', {
    'agent-json-patch':
      '[{"op":"replace","path":"/name","value":"other"},{"op":"add","path":"/imagePullPolicy","value":"Always"},{"op":"add","path":"/unknown","value":1}]',
    'agent-init-json-patch':
      '[{"op":"add","path":"/env/-","value":{"name":"A","value":"b"}},{"op":"remove","path":"/securityContext"}]',
  }),
  on('an empty patch', { 'agent-json-patch': '', 'agent-init-json-patch': '[]' }),
  on(
    'a token volume that no container mounts',
    { 'agent-service-account-token-volume-name': 'own' },
    {
      volumes: [
        tokenVolume,
        {
          name: 'own',
          projected: {
            sources: [{ configMap: { name: 'x' } }, { serviceAccountToken: { path: 'vault-token' } }],
          },
        },
      ],
    },
  ),
];

const combined: PodCase[] = [
  on(
    'a job of the chart with everything at once',
    {
      'agent-pre-populate-only': 'true',
      'agent-init-first': 'true',
      'agent-run-as-user': '1337',
      'secret-volume-path': '/etc/creds',
      'agent-inject-file-Db-Creds': 'nested/creds.env',
      'agent-inject-perms-Db-Creds': '0440',
      'agent-inject-default-template': 'json',
    },
    { initContainers: inits, restartPolicy: 'Never' },
  ),
  on(
    'init first, shared processes, custom volumes, copied mounts',
    {
      'agent-init-first': 'true',
      'agent-share-process-namespace': 'true',
      'agent-copy-volume-mounts': 'first',
      'secret-volume-path-Db-Creds': '/etc/db',
    },
    { initContainers: inits, shareProcessNamespace: true },
  ),
  on('revoke through a proxy with TLS files', {
    'agent-revoke-on-shutdown': 'true',
    'tls-secret': 'vault-tls',
    'ca-cert': '/vault/tls/ca.crt',
    'client-cert': '/vault/tls/client.crt',
    'client-key': '/vault/tls/client.key',
    'proxy-address': 'http://proxy:3128',
  }),
  on('a config map with a sidecar alone', { 'agent-configmap': 'mine', 'agent-pre-populate': 'false' }),
  on('a config map with an init agent alone', {
    'agent-configmap': 'mine',
    'agent-pre-populate-only': 'true',
    'agent-extra-secret': 'extra',
  }),
  on('a token volume beside an audience of its own', {
    'agent-service-account-token-volume-name': 'kube-api-access-x',
    'auth-type': 'jwt',
    'auth-path': 'auth/jwt',
    'auth-config-path': '/var/run/secrets/kubernetes.io/serviceaccount/token',
  }),
  on('ten secrets on three volumes', {
    ...Object.fromEntries(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`agent-inject-secret-s${n}`, `kv/s${n}`]),
    ),
    'secret-volume-path-s3': '/etc/a',
    'secret-volume-path-s7': '/etc/a',
    'secret-volume-path-s9': '/etc/b',
  }),
  on('a path that leaves the volume', { 'agent-inject-file-Db-Creds': '../../etc/passwd' }),
  on('a token, a cache and a quit on another port', {
    'agent-inject-token': 'true',
    'agent-cache-enable': 'true',
    'agent-enable-quit': 'true',
    'agent-cache-listener-port': '8100',
  }),
  on('a template that a shell and HTML would take apart', {
    'agent-inject-template-Db-Creds': '<a href="$(x)">`y` & \\u003c \u2028 \u00fc {{ "\\"" }}</a>\n\ttab',
  }),
];

const bools = [
  'agent-inject',
  'agent-init-first',
  'agent-pre-populate',
  'agent-pre-populate-only',
  'agent-revoke-on-shutdown',
  'tls-skip-verify',
  'agent-run-as-same-user',
  'agent-share-process-namespace',
  'agent-set-security-context',
  'agent-cache-enable',
  'agent-cache-exit-on-err',
  'agent-inject-token',
  'template-config-exit-on-retry-failure',
  'agent-enable-quit',
  'agent-auto-auth-exit-on-err',
  'error-on-missing-key-Db-Creds',
];

const refused: PodCase[] = [
  ...bools.map((name) => on(`bad bool in ${name}`, { [name]: 'yes' })),
  { name: 'in kube-system', namespace: 'kube-system', pod: pod(basic) },
  { name: 'in kube-public', namespace: 'kube-public', pod: pod(basic) },
  { name: 'in kube-node-lease', namespace: 'kube-node-lease', pod: pod(basic) },
  { name: 'in no namespace', namespace: '', pod: pod(basic) },
  on('an empty request namespace', { 'agent-request-namespace': '' }),
  on('no role', { role: '' }),
  on('no image', { 'agent-image': '' }),
  on('no address', { service: '' }),
  on('no auth path', { 'auth-path': '' }),
  on('no auth type', { 'auth-type': '' }),
  on('no token mount', {}, { containers: [{ name: 'app', image: 'x' }] }),
  on('no containers', {}, { containers: [] }),
  on('an unknown token volume', { 'agent-service-account-token-volume-name': 'nope' }),
  on(
    'a mount without its volume',
    { 'agent-service-account-token-volume-name': 'kube-api-access-x' },
    { volumes: [] },
  ),
  on(
    'a token volume without a token',
    { 'agent-service-account-token-volume-name': 'data' },
    { volumes: [tokenVolume, { name: 'data', emptyDir: {} }] },
  ),
  on('bad user', { 'agent-run-as-user': 'root' }),
  on('bad group', { 'agent-run-as-group': '1x' }),
  on('a user out of range', { 'agent-run-as-user': '99999999999999999999' }),
  on('bad grace', { 'agent-revoke-grace': '5s' }),
  on('empty grace', { 'agent-revoke-grace': '' }),
  on('negative grace', { 'agent-revoke-grace': '-1' }),
  on('bad connections', { 'template-max-connections-per-host': 'abc' }),
  on('bad threshold', { 'template-lease-renewal-threshold': 'x' }),
  on('an infinite threshold', { 'template-lease-renewal-threshold': 'Inf' }),
  on('bad quantity', { 'agent-limits-cpu': 'lots' }),
  on('a quantity without digits', { 'agent-limits-mem': 'Gi' }),
  on('a duration that is not ASCII', { 'auth-max-backoff': 'fünf' }),
  on('bad quantity suffix', { 'agent-requests-mem': '12Q' }),
  on('bad default template', { 'agent-inject-default-template': 'YAML' }),
  on('bad min backoff', { 'auth-min-backoff': '5' }),
  on('bad max backoff', { 'auth-max-backoff': '1d' }),
  on('a backoff that is no duration', { 'auth-max-backoff': 'soon' }),
  on('same user without a security context', { 'agent-run-as-same-user': 'true' }),
  on(
    'same user that is root',
    { 'agent-run-as-same-user': 'true' },
    { containers: [{ ...app, securityContext: { runAsUser: 0 } }] },
  ),
  on('a patch that is no JSON', { 'agent-json-patch': 'nope' }),
  on('a patch that is no list', { 'agent-init-json-patch': '{}' }),
  on('a patch that replaces what is not there', {
    'agent-json-patch': '[{"op":"replace","path":"/nope","value":1}]',
  }),
  on('a patch that removes what is not there', { 'agent-json-patch': '[{"op":"remove","path":"/nope"}]' }),
  on('a patch below what is not there', { 'agent-json-patch': '[{"op":"add","path":"/a/b","value":1}]' }),
  on('a patch with a failing test', { 'agent-json-patch': '[{"op":"test","path":"/name","value":"x"}]' }),
  on('a patch of an unknown op', { 'agent-json-patch': '[{"op":"merge","path":"/name","value":"x"}]' }),
  on('a patch without a value', { 'agent-json-patch': '[{"op":"add","path":"/name"}]' }),
  on('a patch of a wrong type', { 'agent-json-patch': '[{"op":"add","path":"/image","value":1}]' }),
  on('a patch that makes no container', { 'agent-json-patch': '[{"op":"replace","path":"","value":[]}]' }),
  on('two mistakes report the first', { 'agent-init-first': 'x', 'agent-enable-quit': 'y', role: '' }),
  on('a mistake in the pod', {}, { containers: [{ name: 5 }] }),
  {
    name: 'annotations that are no strings',
    pod: { metadata: { annotations: { [`${V}agent-inject`]: true } } },
  },
  { name: 'a list for a pod', pod: [] },
  { name: 'null for a pod', pod: null },
];

/** What the tables of annotations hold and the cases above do not: one default or limit each. */
const edges: PodCase[] = [
  on('a request namespace of its own', { 'agent-request-namespace': 'elsewhere' }),
  on('the token with its own volume path', { 'agent-inject-token': 'true', 'secret-volume-path': '/run/s/' }),
  on('a file below another volume path', {
    'secret-volume-path-Db-Creds': '/etc/db/',
    'agent-inject-file-Db-Creds': '/./a//b',
  }),
  on('an empty template beside a path', { 'agent-inject-template-Db-Creds': '' }),
  on('a template of spaces', { 'agent-inject-template-Db-Creds': '  ' }),
  on('empty delimiters', {
    'agent-template-left-delim-Db-Creds': '',
    'agent-template-right-delim-Db-Creds': '',
  }),
  on('an empty volume path', { 'secret-volume-path': '' }),
  on('an empty volume path of its own', { 'secret-volume-path-Db-Creds': '' }),
  on('case preserved for all but one', {
    'preserve-secret-case': 'true',
    'preserve-secret-case-Db-Creds': 'false',
    'agent-inject-secret-Other': 'kv/o',
  }),
  on('a missing key is no error', { 'error-on-missing-key-Db-Creds': 'false' }),
  on('empty bools are false', {
    'agent-init-first': '',
    'agent-enable-quit': '',
    'agent-cache-enable': '',
    'tls-skip-verify': '',
  }),
  on('grace without revocation', { 'agent-revoke-grace': '12' }),
  on('a grace of zero', { 'agent-revoke-on-shutdown': 'true', 'agent-revoke-grace': '0' }),
  on('group zero', { 'agent-run-as-group': '0' }),
  on('a negative user', { 'agent-run-as-user': '-1' }),
  on(
    'user and same user',
    { 'agent-run-as-user': '5', 'agent-run-as-same-user': 'true' },
    {
      containers: [{ ...app, securityContext: { runAsUser: 7 } }],
    },
  ),
  on(
    'the user of the pod is not that of its container',
    { 'agent-run-as-same-user': 'true' },
    {
      securityContext: { runAsUser: 7 },
    },
  ),
  on(
    'a same user without a number',
    { 'agent-run-as-same-user': 'true' },
    {
      containers: [{ ...app, securityContext: { runAsNonRoot: true } }],
    },
  ),
  on(
    'mounts of an init container copied',
    { 'agent-copy-volume-mounts': 'first' },
    { initContainers: inits },
  ),
  on('mounts of nobody copied', { 'agent-copy-volume-mounts': 'nobody' }),
  on('an auth type without a role', { 'auth-type': 'cert', 'auth-path': 'auth/cert', role: '' }),
  on('both roles', { 'auth-config-role': 'other' }),
  on('an empty role of auth-config', { role: '', 'auth-config-role': '' }),
  on('an auth path with slashes', { 'auth-path': '/auth/x/' }),
  on('only the least backoff', { 'auth-min-backoff': '250ms' }),
  on('an empty backoff', { 'auth-max-backoff': '' }),
  on('a backoff below zero', { 'auth-min-backoff': '-5s' }),
  on('an empty threshold', { 'template-lease-renewal-threshold': '' }),
  on('an empty number of connections', { 'template-max-connections-per-host': '' }),
  on('connections below zero', { 'template-max-connections-per-host': '-3' }),
  on('an interval that is none', { 'template-static-secret-render-interval': 'soon' }),
  on('an odd listener port', { 'agent-cache-enable': 'true', 'agent-cache-listener-port': '' }),
  on('no token of auto-auth', { 'agent-cache-enable': 'true', 'agent-cache-use-auto-auth-token': '' }),
  on('quit of an init agent alone', { 'agent-enable-quit': 'true', 'agent-pre-populate-only': 'true' }),
  on('features with empty names', { 'agent-disable-keep-alives': ',', 'agent-disable-idle-connections': '' }),
  on('telemetry with dashes and numbers', {
    'agent-telemetry-usage-gauge-period': '"5m"',
    'agent-telemetry-num-lease-metrics-buckets': '12',
    'agent-telemetry-filter-default': 'false',
    'agent-telemetry-statsd-address': 'host:8125',
  }),
  on('telemetry that is null', {
    'agent-telemetry-statsd-address': 'null',
    'agent-telemetry-disable-hostname': 'true',
  }),
  on('an empty config map', { 'agent-configmap': '' }),
  on('a config map without an address', { 'agent-configmap': 'mine', service: '' }),
  on('a config map with a bad bool', { 'agent-configmap': 'mine', 'agent-cache-enable': 'maybe' }),
  on('a config map and a log level', {
    'agent-configmap': 'mine',
    'log-level': 'trace',
    'go-max-procs': '1',
  }),
  on('share process namespace empty', { 'agent-share-process-namespace': '' }),
  on('a status that is empty', { 'agent-inject-status': '' }),
  on('a patch that tests, moves and copies', {
    'agent-json-patch':
      '[{"op":"test","path":"/name","value":"vault-agent"},{"op":"copy","from":"/image","path":"/workingDir"},{"op":"move","from":"/workingDir","path":"/terminationMessagePath"}]',
  }),
  on('a patch of resources', {
    'agent-json-patch': '[{"op":"replace","path":"/resources/limits/cpu","value":"2"}]',
    'agent-init-json-patch': '[{"op":"remove","path":"/resources/limits"}]',
  }),
  on('a patch of null', { 'agent-json-patch': 'null' }),
];

export const podCases: readonly PodCase[] = [
  ...seed,
  ...leftAlone,
  ...placement,
  ...secrets,
  ...vault,
  ...container,
  ...combined,
  ...edges,
  ...refused,
];

/** The AdmissionReview that asks about a pod. */
export function reviewOf({ namespace = 'demo', pod: object }: PodCase): Json {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'x' },
      object,
    },
  };
}
