import type { KubeObject } from '../kube/api.ts';
import { injectorLabel, webhookConfiguration } from './registration.ts';

export interface InjectorManifestOptions {
  /** As the pods of the cluster reach it. */
  readonly vaultAddress: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly image?: string;
  readonly replicas?: number;
  /** That the injector listens on, 8080 by default; pods that share a network (the sandbox) need one each. */
  readonly port?: number;
  /** For API servers that reach the injector at an address rather than by its Service. */
  readonly url?: string;
  /** Default mount of the login, e.g. `auth/kubernetes-cluster1`. */
  readonly authPath?: string;
  /** Image of the agents. */
  readonly agentImage?: string;
  /** PEM of the CA of Vault. */
  readonly vaultCaCert?: string;
  /** The cluster's name in Vault, for pods annotated `meshroot.io/istio-ca`. */
  readonly cluster?: string;
  readonly failurePolicy?: 'Fail' | 'Ignore';
  /** Namespaces whose pods may be injected; all but kube-system by default. */
  readonly namespaces?: readonly string[];
  /** Only pods of these namespaces are held up while the injector is away; the others start as they are. */
  readonly failClosed?: readonly string[];
  /** Refusals become Events. */
  readonly events?: boolean;
  /** Large configurations of agents become ConfigMaps, which it writes and sweeps. */
  readonly configMaps?: boolean;
  /** Replicas elect one of them by a Lease; goes with AGENT_INJECT_USE_LEADER_ELECTOR. */
  readonly leaderElection?: boolean;
  /** What namespaces may ask for, as YAML; kept in a ConfigMap, whose changes are followed. */
  readonly policy?: string;
  /** Further AGENT_INJECT_… settings. */
  readonly env?: Readonly<Record<string, string>>;
}

const defaultPort = 8080;

/**
 * Everything that an injector in the cluster consists of, in the order in which it is to be created: namespace,
 * account, rights, service, deployment, registration. Names are those of the Helm chart. Pure.
 */
export function injectorManifests(options: InjectorManifestOptions): KubeObject[] {
  const name = options.name ?? 'vault-agent-injector';
  const namespace = options.namespace ?? 'vault';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels: { ...injectorLabel } } },
    ...rights(name, namespace, options),
    ...(options.leaderElection === true ? leaseRights(name, namespace) : []),
    ...(options.policy === undefined ? [] : [policyMap(name, namespace, options.policy)]),
    service(name, namespace, options.port ?? defaultPort),
    deployment(name, namespace, options),
    webhookConfiguration({
      name: `${name}-cfg`,
      namespace,
      ...(options.url === undefined ? { service: `${name}-svc` } : { url: options.url }),
      failurePolicy: options.failurePolicy ?? 'Fail',
      ...(options.namespaces === undefined ? {} : { namespaces: options.namespaces }),
      ...(options.failClosed === undefined ? {} : { failClosed: options.failClosed }),
      ...(options.events === undefined ? {} : { events: options.events }),
      ...(options.configMaps === undefined ? {} : { configMaps: options.configMaps }),
    }),
  ];
}

const policyFolder = '/etc/meshroot-injector';

function policyMap(name: string, namespace: string, policy: string): KubeObject {
  const metadata = { name: `${name}-policy`, namespace, labels: { ...injectorLabel } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'policy.yaml': policy } };
}

/** Only its own configuration may be patched; Kubernetes cannot narrow list and watch by name. */
function rights(
  name: string,
  namespace: string,
  { events, configMaps }: InjectorManifestOptions,
): KubeObject[] {
  const metadata = { name: `${name}-clusterrole`, labels: { ...injectorLabel } };
  const resource = {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations'],
  };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata,
      rules: [
        { ...resource, verbs: ['list', 'watch'] },
        { ...resource, resourceNames: [`${name}-cfg`], verbs: ['get', 'patch'] },
        ...(events === true ? [{ apiGroups: [''], resources: ['events'], verbs: ['create'] }] : []),
        ...(configMaps === true ? configMapRules : []),
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${name}-binding`, labels: { ...injectorLabel } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}

/** It writes them where the pods are, and looks which pods refer to them; their names are not known beforehand. */
const configMapRules = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch', 'list', 'delete'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
];

/** `create` cannot be narrowed by name. */
function leaseRights(name: string, namespace: string): KubeObject[] {
  const metadata = { name: `${name}-leader`, namespace, labels: { ...injectorLabel } };
  const resource = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [
        { ...resource, verbs: ['create'] },
        { ...resource, resourceNames: [`${name}-cfg-leader`], verbs: ['get', 'update'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}

function service(name: string, namespace: string, port: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `${name}-svc`, namespace, labels: { ...injectorLabel } },
    spec: { selector: { ...injectorLabel }, ports: [{ name: 'https', port: 443, targetPort: port }] },
  };
}

function deployment(name: string, namespace: string, options: InjectorManifestOptions): KubeObject {
  const labels = { ...injectorLabel };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: options.replicas ?? 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          containers: [container(name, namespace, options)],
          ...(options.policy === undefined
            ? {}
            : { volumes: [{ name: 'policy', configMap: { name: `${name}-policy` } }] }),
        },
      },
    },
  };
}

function container(
  name: string,
  namespace: string,
  options: InjectorManifestOptions,
): Record<string, unknown> {
  const port = options.port ?? defaultPort;
  const ready = {
    httpGet: { path: '/health/ready', port, scheme: 'HTTPS' },
    periodSeconds: 2,
    timeoutSeconds: 5,
  };
  return {
    name: 'sidecar-injector',
    image: options.image ?? 'hashicorp/vault-k8s:1.7.6',
    imagePullPolicy: 'IfNotPresent',
    args: ['agent-inject', '2>&1'], // as the chart writes it; it is not a shell that reads the second word
    env: [
      { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ...Object.entries(environment(name, namespace, options)).map(([key, value]) => ({ name: key, value })),
    ],
    ports: [{ name: 'https', containerPort: port }],
    ...(options.policy === undefined
      ? {}
      : { volumeMounts: [{ name: 'policy', mountPath: policyFolder, readOnly: true }] }),
    livenessProbe: { ...ready, initialDelaySeconds: 5, failureThreshold: 2 },
    readinessProbe: { ...ready, periodSeconds: 1, failureThreshold: 2 },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 100,
      runAsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

function environment(
  name: string,
  namespace: string,
  options: InjectorManifestOptions,
): Record<string, string> {
  const svc = `${name}-svc`;
  const direct = options.url === undefined ? [] : [new URL(options.url).hostname.replace(/^\[|\]$/g, '')];
  return {
    AGENT_INJECT_LISTEN: `:${options.port ?? defaultPort}`,
    AGENT_INJECT_LOG_LEVEL: 'info',
    AGENT_INJECT_VAULT_ADDR: options.vaultAddress,
    AGENT_INJECT_VAULT_IMAGE: options.agentImage ?? 'hashicorp/vault:2.0.4',
    AGENT_INJECT_TLS_AUTO: `${name}-cfg`,
    AGENT_INJECT_TLS_AUTO_HOSTS: [svc, `${svc}.${namespace}`, `${svc}.${namespace}.svc`, ...direct].join(','),
    AGENT_INJECT_TELEMETRY_PATH: '/metrics',
    ...(options.authPath === undefined ? {} : { AGENT_INJECT_VAULT_AUTH_PATH: options.authPath }),
    ...(options.vaultCaCert === undefined ? {} : { AGENT_INJECT_VAULT_CACERT_BYTES: options.vaultCaCert }),
    ...(options.cluster === undefined ? {} : { MESHROOT_CLUSTER: options.cluster }),
    // a young generation of 1 MiB instead of 16 costs nothing at the rate at which pods are made; Go does not read it
    NODE_OPTIONS: '--max-semi-space-size=1 --max-old-space-size=96',
    ...(options.events === true ? { MESHROOT_EVENTS: 'true' } : {}),
    ...(options.configMaps === true ? { MESHROOT_CONFIG_MAPS: 'true' } : {}),
    ...(options.leaderElection === true ? { AGENT_INJECT_USE_LEADER_ELECTOR: 'true' } : {}),
    ...(options.policy === undefined ? {} : { MESHROOT_POLICY_FILE: `${policyFolder}/policy.yaml` }),
    ...options.env,
  };
}
