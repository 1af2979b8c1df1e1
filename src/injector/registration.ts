import type { KubeObject } from '../kube/api.ts';

export interface WebhookConfigurationOptions {
  /** Of the MutatingWebhookConfiguration; what `-tls-auto` names. */
  readonly name: string;
  /** Where the injector runs. */
  readonly namespace: string;
  /** The injector's Service; exactly one of `service` and `url`. */
  readonly service?: string;
  /** For an injector outside of the cluster. */
  readonly url?: string;
  /** PEM; absent when the injector keeps it by itself (`-tls-auto`). */
  readonly caBundle?: string;
  /** `Fail` (default): an opted-in pod that cannot be injected does not start. */
  readonly failurePolicy?: 'Fail' | 'Ignore';
  /** Only these namespaces; all but kube-system by default. */
  readonly namespaces?: readonly string[];
  readonly timeoutSeconds?: number;
  /**
   * Only pods of these namespaces are held up when the injector cannot be asked; elsewhere they start as they are. Two
   * entries come of it, each namespace in exactly one; `failurePolicy` is not looked at.
   */
  readonly failClosed?: readonly string[];
  /** The injector writes Events (never for a dry run), which the API server wants to know. */
  readonly events?: boolean;
  /** The injector writes ConfigMaps (never for a dry run). */
  readonly configMaps?: boolean;
}

/** The label of the injector's own pods, which must be able to start while no injector runs. */
export const injectorLabel = { 'app.kubernetes.io/name': 'vault-agent-injector' } as const;

/**
 * With `Fail`, an injector that is away must not hold up pods that want nothing from it: API servers >= 1.28 ask only
 * for pods with our annotations (matchConditions); older ones drop the field and ask for every pod.
 */
const optedIn =
  "has(object.metadata.annotations) && ('vault.hashicorp.com/agent-inject' in object.metadata.annotations || 'meshroot.io/istio-ca' in object.metadata.annotations || 'meshroot.io/gateway-certs' in object.metadata.annotations)";

const namespaceName = { key: 'kubernetes.io/metadata.name' } as const;

/** The registration of the injector with the API server. Pure. */
export function webhookConfiguration(options: WebhookConfigurationOptions): KubeObject {
  const { name, failClosed } = options;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name, labels: { ...injectorLabel } },
    webhooks: failClosed === undefined ? [entry(options)] : scopedEntries(options, failClosed),
  };
}

/** The strict entry first: vault-k8s keeps the caBundle of the first one only. */
function scopedEntries(options: WebhookConfigurationOptions, failClosed: readonly string[]): object[] {
  const strict = entry({ ...options, failurePolicy: 'Fail', namespaces: failClosed });
  const lenient = entry({ ...options, failurePolicy: 'Ignore' });
  const except = { ...namespaceName, operator: 'NotIn', values: [...failClosed] };
  const { matchExpressions } = lenient.namespaceSelector;
  return [
    strict,
    {
      ...lenient,
      name: 'lenient.vault.hashicorp.com',
      namespaceSelector: { matchExpressions: [...matchExpressions, except] },
    },
  ];
}

function entry(options: WebhookConfigurationOptions) {
  const { namespace, service, url, caBundle, namespaces } = options;
  const target =
    url === undefined
      ? { service: { name: service ?? 'vault-agent-injector-svc', namespace, path: '/mutate' } }
      : { url };
  return {
    name: 'vault.hashicorp.com',
    admissionReviewVersions: ['v1', 'v1beta1'],
    clientConfig: {
      ...target,
      ...(caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString('base64') }),
    },
    rules: [
      {
        operations: ['CREATE'],
        apiGroups: [''],
        apiVersions: ['v1'],
        resources: ['pods'],
        scope: 'Namespaced',
      },
    ],
    failurePolicy: options.failurePolicy ?? 'Fail',
    matchPolicy: 'Exact',
    sideEffects: options.events === true || options.configMaps === true ? 'NoneOnDryRun' : 'None',
    timeoutSeconds: options.timeoutSeconds ?? 10,
    // a later webhook may put its container in front of ours or add one; asked again, an injected pod stays as it is
    reinvocationPolicy: 'IfNeeded',
    namespaceSelector: { matchExpressions: [namespaceRequirement(namespaces)] },
    objectSelector: {
      matchExpressions: [
        {
          key: 'app.kubernetes.io/name',
          operator: 'NotIn',
          values: [injectorLabel['app.kubernetes.io/name']],
        },
      ],
    },
    matchConditions: [{ name: 'opted-in', expression: optedIn }],
  };
}

function namespaceRequirement(namespaces: readonly string[] | undefined): Record<string, unknown> {
  return namespaces === undefined
    ? { ...namespaceName, operator: 'NotIn', values: ['kube-system'] }
    : { ...namespaceName, operator: 'In', values: [...namespaces] };
}
