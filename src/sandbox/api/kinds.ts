/** One row of facts about a kind that the API server serves. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** `status`, `log`, `token`, `scale`, `finalize`. */
  readonly subresources: readonly string[];
  /** Only POST, nothing is stored: the reviews. */
  readonly transient: boolean;
  /** metadata.generation counts changes of everything but metadata and status. */
  readonly generation: boolean;
  readonly nameRule: 'subdomain' | 'label' | 'label1035' | 'path';
}

type Options = Partial<Omit<Kind, 'group' | 'version' | 'kind' | 'plural'>>;

const row = (groupVersion: string, kind: string, plural: string, o: Options = {}): Kind => {
  const slash = groupVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : groupVersion.slice(0, slash),
    version: groupVersion.slice(slash + 1),
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    subresources: [],
    transient: false,
    generation: false,
    nameRule: 'subdomain',
    ...o,
  };
};

const cluster = { namespaced: false } as const;
const review = { namespaced: false, transient: true } as const;
const rbac = 'rbac.authorization.k8s.io/v1';
const hooks = { namespaced: false, generation: true, categories: ['api-extensions'] } as const;

/** Everything that is served, in the order of discovery. */
export const kinds: readonly Kind[] = [
  row('v1', 'ConfigMap', 'configmaps', { shortNames: ['cm'] }),
  row('v1', 'Endpoints', 'endpoints', { shortNames: ['ep'] }),
  row('v1', 'Event', 'events', { shortNames: ['ev'] }),
  row('v1', 'Namespace', 'namespaces', {
    ...cluster,
    shortNames: ['ns'],
    subresources: ['status', 'finalize'],
    nameRule: 'label',
  }),
  row('v1', 'Node', 'nodes', { ...cluster, shortNames: ['no'], subresources: ['status'] }),
  row('v1', 'Pod', 'pods', {
    shortNames: ['po'],
    categories: ['all'],
    subresources: ['status', 'log', 'binding'],
    generation: true,
  }),
  row('v1', 'Secret', 'secrets'),
  row('v1', 'Service', 'services', {
    shortNames: ['svc'],
    categories: ['all'],
    subresources: ['status'],
    nameRule: 'label1035',
  }),
  row('v1', 'ServiceAccount', 'serviceaccounts', { shortNames: ['sa'], subresources: ['token'] }),
  row('apps/v1', 'Deployment', 'deployments', {
    shortNames: ['deploy'],
    categories: ['all'],
    subresources: ['status', 'scale'],
    generation: true,
  }),
  row('apps/v1', 'ReplicaSet', 'replicasets', {
    shortNames: ['rs'],
    categories: ['all'],
    subresources: ['status', 'scale'],
    generation: true,
  }),
  row('apps/v1', 'StatefulSet', 'statefulsets', {
    shortNames: ['sts'],
    categories: ['all'],
    subresources: ['status', 'scale'],
    generation: true,
  }),
  row('apps/v1', 'DaemonSet', 'daemonsets', {
    shortNames: ['ds'],
    categories: ['all'],
    subresources: ['status'],
    generation: true,
  }),
  row('batch/v1', 'Job', 'jobs', { categories: ['all'], subresources: ['status'], generation: true }),
  row('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers', {
    shortNames: ['hpa'],
    categories: ['all'],
    subresources: ['status'],
  }),
  row('authentication.k8s.io/v1', 'TokenReview', 'tokenreviews', review),
  row('authentication.k8s.io/v1', 'SelfSubjectReview', 'selfsubjectreviews', review),
  row('authorization.k8s.io/v1', 'SubjectAccessReview', 'subjectaccessreviews', review),
  row('authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', review),
  row('authorization.k8s.io/v1', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews', review),
  row('authorization.k8s.io/v1', 'LocalSubjectAccessReview', 'localsubjectaccessreviews', {
    transient: true,
  }),
  row(rbac, 'Role', 'roles', { nameRule: 'path' }),
  row(rbac, 'RoleBinding', 'rolebindings', { nameRule: 'path' }),
  row(rbac, 'ClusterRole', 'clusterroles', { ...cluster, nameRule: 'path' }),
  row(rbac, 'ClusterRoleBinding', 'clusterrolebindings', { ...cluster, nameRule: 'path' }),
  row(
    'admissionregistration.k8s.io/v1',
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    hooks,
  ),
  row(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    hooks,
  ),
  row('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', {
    ...hooks,
    shortNames: ['crd', 'crds'],
    subresources: ['status'],
  }),
  row('coordination.k8s.io/v1', 'Lease', 'leases'),
  row('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices', { generation: true }),
  row('networking.k8s.io/v1', 'Ingress', 'ingresses', {
    shortNames: ['ing'],
    subresources: ['status'],
    generation: true,
  }),
  row('networking.k8s.io/v1', 'IngressClass', 'ingressclasses', { ...cluster, generation: true }),
  row('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', {
    shortNames: ['netpol'],
    generation: true,
  }),
  row('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', {
    shortNames: ['pdb'],
    subresources: ['status'],
    generation: true,
  }),
];

/** `v1` or `apps/v1`. */
export const groupVersionOf = (kind: Pick<Kind, 'group' | 'version'>): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;

/** `pods` or `deployments.apps`: the name in error texts and the key in the store. */
export const resourceOf = (kind: Pick<Kind, 'group' | 'plural'>): string =>
  kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;

const byPlural = new Map(kinds.map((k) => [`${groupVersionOf(k)}/${k.plural}`, k]));
const byKind = new Map(kinds.map((k) => [`${groupVersionOf(k)}/${k.kind}`, k]));

/** The row for `apps/v1` + `deployments`, or undefined when it is not served. */
export const kindOfPlural = (groupVersion: string, plural: string): Kind | undefined =>
  byPlural.get(`${groupVersion}/${plural}`);

/** The row for `apps/v1` + `Deployment`, or undefined when it is not served. */
export const kindOfObject = (groupVersion: string, kind: string): Kind | undefined =>
  byKind.get(`${groupVersion}/${kind}`);

/** The row of a kind that is known to be in the table, by its key in the store (`pods`, `deployments.apps`). */
export function kindOfResource(resource: string): Kind {
  const found = kinds.find((k) => resourceOf(k) === resource);
  if (found === undefined) throw new TypeError(`no such kind: ${resource}`);
  return found;
}
