import type { ApiObject, Fields } from './fields.ts';

const apiVersion = 'rbac.authorization.k8s.io/v1';
const group = 'rbac.authorization.k8s.io';
const bootstrapping = { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } };

const rule = (groups: string, resources: string, verbs: string): Fields => ({
  apiGroups: groups.split(' ').map((g) => (g === 'core' ? '' : g)),
  resources: resources.split(' '),
  verbs: verbs.split(' '),
});
const paths = (urls: string): Fields => ({ nonResourceURLs: urls.split(' '), verbs: ['get'] });

const read = 'get list watch';
const write = 'create delete deletecollection patch update';
const everything = [rule('*', '*', '*'), { nonResourceURLs: ['*'], verbs: ['*'] }];
const health = '/healthz /livez /readyz /version /version/';

const viewed = [
  rule('core', 'configmaps endpoints events pods pods/log pods/status serviceaccounts services', read),
  rule('core', 'namespaces', read),
  rule('apps', 'daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets', read),
  rule('batch', 'jobs', read),
  rule('discovery.k8s.io', 'endpointslices', read),
  rule('networking.k8s.io', 'ingresses', read),
  rule('policy', 'poddisruptionbudgets', read),
  rule('autoscaling', 'horizontalpodautoscalers', read),
];
const edited = [
  ...viewed,
  rule('core', 'secrets', read),
  rule('core', 'configmaps endpoints events pods secrets serviceaccounts services', write),
  rule('core', 'serviceaccounts', 'impersonate'),
  rule('core', 'serviceaccounts/token', 'create'),
  rule('apps', 'daemonsets deployments deployments/scale replicasets replicasets/scale statefulsets', write),
  rule('batch', 'jobs', write),
  rule('networking.k8s.io', 'ingresses', write),
  rule('policy', 'poddisruptionbudgets', write),
  rule('autoscaling', 'horizontalpodautoscalers', write),
  rule('coordination.k8s.io', 'leases', `${read} ${write}`),
];

/** Rules by name: the part of a real cluster's bootstrap policy that this job touches. */
const clusterRoles: Readonly<Record<string, readonly Fields[]>> = {
  'cluster-admin': everything,
  admin: [
    ...edited,
    rule('authorization.k8s.io', 'localsubjectaccessreviews', 'create'),
    rule(group, 'roles rolebindings', `${read} ${write}`),
  ],
  edit: edited,
  view: viewed,
  'system:auth-delegator': [
    rule('authentication.k8s.io', 'tokenreviews', 'create'),
    rule('authorization.k8s.io', 'subjectaccessreviews', 'create'),
  ],
  'system:basic-user': [
    rule('authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', 'create'),
    rule('authentication.k8s.io', 'selfsubjectreviews', 'create'),
  ],
  'system:discovery': [paths(`/api /api/* /apis /apis/* ${health} /openapi /openapi/*`)],
  'system:public-info-viewer': [paths(health)],
  'system:service-account-issuer-discovery': [
    paths(
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ],
  'system:node': [
    rule('authentication.k8s.io', 'tokenreviews', 'create'),
    rule('authorization.k8s.io', 'subjectaccessreviews localsubjectaccessreviews', 'create'),
    rule('core', 'services', read),
    rule('core', 'nodes', `${read} create update patch delete`),
    rule('core', 'nodes/status pods/status', 'get update patch'),
    rule('core', 'pods', `${read} create update patch delete`),
    rule('core', 'configmaps secrets serviceaccounts', read),
    rule('core', 'serviceaccounts/token', 'create'),
    rule('core', 'events', 'create update patch'),
    rule('coordination.k8s.io', 'leases', 'create delete get patch update list watch'),
  ],
  'system:kube-scheduler': [
    rule('core', 'pods nodes namespaces', read),
    rule('core', 'pods/binding pods/status', 'create patch update'),
    rule('core', 'events', 'create patch update'),
  ],
};

const groupsOf: Readonly<Record<string, { role: string; groups: readonly string[] }>> = {
  'cluster-admin': { role: 'cluster-admin', groups: ['system:masters'] },
  'system:basic-user': { role: 'system:basic-user', groups: ['system:authenticated'] },
  'system:discovery': { role: 'system:discovery', groups: ['system:authenticated'] },
  'system:public-info-viewer': {
    role: 'system:public-info-viewer',
    groups: ['system:authenticated', 'system:unauthenticated'],
  },
  'system:service-account-issuer-discovery': {
    role: 'system:service-account-issuer-discovery',
    groups: ['system:serviceaccounts'],
  },
  // A real cluster narrows this to the node's own pods with the Node authorizer; one local kubelet needs no such wall.
  'system:node': { role: 'system:node', groups: ['system:nodes'] },
};

/** The ClusterRoles and ClusterRoleBindings that every cluster starts with. */
export function bootstrapPolicy(): ApiObject[] {
  const roles = Object.entries(clusterRoles).map(
    ([name, rules]): ApiObject => ({
      apiVersion,
      kind: 'ClusterRole',
      metadata: { name, ...bootstrapping },
      rules: [...rules],
    }),
  );
  const bindings = Object.entries(groupsOf).map(
    ([name, { role, groups }]): ApiObject => ({
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name, ...bootstrapping },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
      subjects: groups.map((g) => ({ apiGroup: group, kind: 'Group', name: g })),
    }),
  );
  return [...roles, ...bindings];
}
