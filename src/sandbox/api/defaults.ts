import { type ApiObject, type Fields, fieldsAt, isFields, listAt, textAt, valueAt } from './fields.ts';
import { type Kind, resourceOf } from './kinds.ts';

/** Sets what is missing; a value that is there stays, also null. */
function setMissing(target: Fields, values: Fields): void {
  for (const [key, value] of Object.entries(values)) if (target[key] === undefined) target[key] = value;
}

const objectsAt = (value: unknown, ...path: string[]): Fields[] => listAt(value, ...path).filter(isFields);

/** Adds the empty object at `key` when there is none, and gives it. */
function ensure(target: Fields, key: string): Fields {
  const found = target[key];
  if (isFields(found)) return found;
  const made: Fields = {};
  target[key] = made;
  return made;
}

/** Fills in what a real API server's defaulting fills in, as far as the kinds here need it. Changes `object`. */
export function applyDefaults(kind: Kind, object: ApiObject): void {
  defaulters[resourceOf(kind)]?.(object);
}

/** The DefaultTolerationSeconds and Priority plugins. */
const tolerate = (condition: string): Fields => ({
  key: `node.kubernetes.io/${condition}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
});

const defaulters: Readonly<Record<string, (object: ApiObject) => void>> = {
  pods: (pod) => {
    const spec = ensure(pod, 'spec');
    defaultPodSpec(spec);
    setMissing(spec, {
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
      priority: 0,
      tolerations: ['not-ready', 'unreachable'].map(tolerate),
    });
    setMissing(ensure(pod, 'status'), { phase: 'Pending', qosClass: 'BestEffort' });
  },
  secrets: defaultSecret,
  services: defaultService,
  namespaces: (namespace) => {
    namespace.metadata.labels = {
      ...namespace.metadata.labels,
      'kubernetes.io/metadata.name': namespace.metadata.name ?? '',
    };
    setMissing(ensure(namespace, 'spec'), { finalizers: ['kubernetes'] });
    setMissing(ensure(namespace, 'status'), { phase: 'Active' });
  },
  'deployments.apps': (deployment) => {
    const spec = ensure(deployment, 'spec');
    const strategy = ensure(spec, 'strategy');
    setMissing(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
    setMissing(strategy, { type: 'RollingUpdate' });
    if (strategy.type === 'RollingUpdate') {
      setMissing(ensure(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' });
    }
    defaultTemplate(spec);
    ensure(deployment, 'status');
  },
  'replicasets.apps': defaultWorkload,
  'statefulsets.apps': defaultWorkload,
  'daemonsets.apps': (set) => defaultTemplate(ensure(set, 'spec')),
  'jobs.batch': (job) => defaultTemplate(ensure(job, 'spec')),
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': (c) => {
    for (const hook of objectsAt(c, 'webhooks')) {
      defaultWebhook(hook);
      setMissing(hook, { reinvocationPolicy: 'Never' });
    }
  },
  'validatingwebhookconfigurations.admissionregistration.k8s.io': (c) => {
    for (const hook of objectsAt(c, 'webhooks')) defaultWebhook(hook);
  },
  'rolebindings.rbac.authorization.k8s.io': defaultBinding,
  'clusterrolebindings.rbac.authorization.k8s.io': defaultBinding,
  'customresourcedefinitions.apiextensions.k8s.io': defaultDefinition,
};

function defaultWorkload(object: ApiObject): void {
  const spec = ensure(object, 'spec');
  setMissing(spec, { replicas: 1 });
  defaultTemplate(spec);
}

function defaultTemplate(spec: Fields): void {
  const template = ensure(spec, 'template');
  setMissing(ensure(template, 'metadata'), { creationTimestamp: null });
  defaultPodSpec(ensure(template, 'spec'));
}

/** Also run after admission: what a webhook adds is defaulted as what the user wrote. */
export function defaultPodSpec(spec: Fields): void {
  setMissing(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  if (typeof spec.serviceAccountName === 'string') spec.serviceAccount = spec.serviceAccountName;
  for (const container of [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')]) {
    defaultContainer(container);
  }
  for (const volume of objectsAt(spec, 'volumes')) defaultVolume(volume);
}

function defaultContainer(container: Fields): void {
  const image = textAt(container, 'image');
  const tag = /:([^/]+)$/.exec(image)?.[1] ?? 'latest';
  setMissing(container, {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: tag === 'latest' && !image.includes('@') ? 'Always' : 'IfNotPresent',
  });
  for (const port of objectsAt(container, 'ports')) setMissing(port, { protocol: 'TCP' });
  for (const variable of objectsAt(container, 'env')) {
    const reference = valueAt(variable, 'valueFrom', 'fieldRef');
    if (isFields(reference)) setMissing(reference, { apiVersion: 'v1' });
  }
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name];
    if (!isFields(probe)) continue;
    setMissing(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
    if (isFields(probe.httpGet)) setMissing(probe.httpGet, { path: '/', scheme: 'HTTP' });
  }
}

const modes = { defaultMode: 0o644 };

function defaultVolume(volume: Fields): void {
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    if (isFields(volume[source])) setMissing(volume[source], modes);
  }
  for (const source of objectsAt(volume, 'projected', 'sources')) {
    const token = source.serviceAccountToken;
    if (isFields(token)) setMissing(token, { expirationSeconds: 3600 });
    for (const item of objectsAt(source, 'downwardAPI', 'items')) {
      if (isFields(item.fieldRef)) setMissing(item.fieldRef, { apiVersion: 'v1' });
    }
  }
  const kinds = Object.keys(volume).filter((key) => key !== 'name');
  if (kinds.length === 0) volume.emptyDir = {};
}

/** `stringData` is written only: its values go into `data`. */
function defaultSecret(secret: ApiObject): void {
  setMissing(secret, { type: 'Opaque' });
  const texts = Object.entries(fieldsAt(secret, 'stringData'));
  delete secret.stringData;
  if (texts.length === 0) return;
  const encoded = texts.map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')]);
  secret.data = { ...fieldsAt(secret, 'data'), ...Object.fromEntries(encoded) };
}

function defaultService(service: ApiObject): void {
  const spec = ensure(service, 'spec');
  setMissing(spec, { type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' });
  for (const port of objectsAt(spec, 'ports')) {
    setMissing(port, { protocol: 'TCP', targetPort: port.port });
  }
  setMissing(ensure(service, 'status'), { loadBalancer: {} });
}

function defaultWebhook(hook: Fields): void {
  setMissing(hook, {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    timeoutSeconds: 10,
    namespaceSelector: {},
    objectSelector: {},
  });
  const service = valueAt(hook, 'clientConfig', 'service');
  if (isFields(service)) setMissing(service, { port: 443 });
  for (const rule of objectsAt(hook, 'rules')) setMissing(rule, { scope: '*' });
}

const rbacGroup = 'rbac.authorization.k8s.io';

function defaultBinding(binding: ApiObject): void {
  setMissing(ensure(binding, 'roleRef'), { apiGroup: rbacGroup });
  for (const subject of objectsAt(binding, 'subjects')) {
    if (subject.kind !== 'ServiceAccount') setMissing(subject, { apiGroup: rbacGroup });
    else if (binding.metadata.namespace !== undefined) {
      setMissing(subject, { namespace: binding.metadata.namespace });
    }
  }
}

/** Definitions are data here: shown as established, though their objects are not served. */
function defaultDefinition(definition: ApiObject): void {
  const names = fieldsAt(definition, 'spec', 'names');
  const at = definition.metadata.creationTimestamp;
  const accepted = { status: 'True', lastTransitionTime: at };
  setMissing(ensure(definition, 'status'), {
    acceptedNames: { ...names },
    conditions: [
      { type: 'NamesAccepted', reason: 'NoConflicts', message: 'no conflicts found', ...accepted },
      {
        type: 'Established',
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
        ...accepted,
      },
    ],
    storedVersions: objectsAt(definition, 'spec', 'versions')
      .filter((version) => version.storage === true)
      .map((version) => version.name),
  });
}
