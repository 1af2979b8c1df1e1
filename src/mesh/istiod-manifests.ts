import { stringify } from 'yaml';
import type { KubeObject } from '../kube/api.ts';
import { bundleKvPath, clusterNames } from './names.ts';
import type { Mesh, MeshCluster } from './schema.ts';
import { vaultPlace } from './vault-place.ts';

/** What istiod's service account has to be before anything else: it logs in to Vault and may review its own token. */
export function istiodIdentity(cluster: MeshCluster): KubeObject[] {
  const { namespace, serviceAccount } = cluster.istiod;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: serviceAccount, namespace } },
    ...(cluster.reviewer === 'jwks'
      ? []
      : [binding('role-tokenreview-binding', 'system:auth-delegator', cluster)]),
  ];
}

/** The seed's annotations: who logs in where, and the four files of the bundle. */
export function bundleAnnotations(mesh: Mesh, cluster: MeshCluster): Record<string, string> {
  const path = bundleKvPath(cluster);
  const { role, authMount } = clusterNames(cluster);
  const { namespace } = vaultPlace(mesh, cluster);
  const v = 'vault.hashicorp.com';
  const file = (name: string, key: string) => ({
    [`${v}/agent-inject-secret-${name}`]: path,
    [`${v}/agent-inject-template-${name}`]: `{{- with secret "${path}" -}}\n{{ .Data.${cluster.kv === 2 ? 'data.' : ''}${key} }}\n{{ end -}}\n`,
  });
  return {
    [`${v}/agent-inject`]: 'true',
    [`${v}/agent-init-first`]: 'true',
    [`${v}/role`]: role,
    ...(namespace !== undefined && { [`${v}/namespace`]: namespace }),
    [`${v}/auth-path`]: `auth/${authMount}`,
    [`${v}/template-static-secret-render-interval`]: cluster.injector?.refresh ?? '5m',
    ...file('ca-key.pem', 'ca_key'),
    ...file('ca-cert.pem', 'ca_cert'),
    ...file('root-cert.pem', 'root_cert'),
    ...file('cert-chain.pem', 'cert_chain'),
  };
}

/** istiod itself, where meshroot runs it: the rights of Istio's chart that its CA and controllers use, and a Deployment. */
export function istiodDeployment(mesh: Mesh, cluster: MeshCluster): KubeObject[] {
  const { namespace, serviceAccount, deploy } = cluster.istiod;
  if (deploy === undefined) return [];
  const env = {
    ROOT_CA_DIR: '/vault/secrets',
    CLUSTER_ID: cluster.name,
    ...(mesh.trustDomain !== 'cluster.local' && { TRUST_DOMAIN: mesh.trustDomain }),
    POD_NAMESPACE: namespace,
    ...deploy.env,
  };
  const labels = { app: 'istiod' };
  const container = {
    name: 'discovery',
    image: deploy.image,
    args: deploy.args,
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
    readinessProbe: {
      httpGet: { path: '/ready', port: deploy.readyPort },
      periodSeconds: 1,
      timeoutSeconds: 5,
    },
  };
  return [
    ...meshConfig(mesh, namespace),
    istiodRole(),
    binding('istiod-clusterrole', 'istiod-clusterrole', cluster),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'istiod', namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: bundleAnnotations(mesh, cluster) },
          spec: { serviceAccountName: serviceAccount, containers: [container] },
        },
      },
    },
  ];
}

/** What istiod reads from the ConfigMap `istio` (istio.io: MeshConfig); nothing where its defaults say the same. */
function meshConfig({ trustDomain, trustDomainAliases }: Mesh, namespace: string): KubeObject[] {
  if (trustDomain === 'cluster.local' && trustDomainAliases.length === 0) return [];
  const mesh = stringify({ trustDomain, trustDomainAliases });
  return [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio', namespace }, data: { mesh } }];
}

/** As Istio's chart has it (istiod ClusterRole), without what only injection and validation webhooks need. */
function istiodRole(): KubeObject {
  const read = ['get', 'list', 'watch'];
  const rule = (apiGroups: string[], resources: string[], verbs: string[]) => ({
    apiGroups,
    resources,
    verbs,
  });
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'istiod-clusterrole' },
    rules: [
      rule([''], ['pods', 'nodes', 'services', 'namespaces', 'endpoints', 'secrets'], read),
      rule([''], ['configmaps'], ['create', 'get', 'list', 'watch', 'update', 'patch']),
      rule(['discovery.k8s.io'], ['endpointslices'], read),
      rule(['apiextensions.k8s.io'], ['customresourcedefinitions'], read),
      rule(['networking.k8s.io'], ['ingresses', 'ingressclasses'], read),
      rule(
        ['admissionregistration.k8s.io'],
        ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
        [...read, 'update', 'patch'],
      ),
      rule(['coordination.k8s.io'], ['leases'], ['create', 'get', 'list', 'watch', 'update', 'patch']),
      rule(['authentication.k8s.io'], ['tokenreviews'], ['create']),
      rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
    ],
  };
}

function binding(name: string, role: string, { istiod }: MeshCluster): KubeObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: istiod.serviceAccount, namespace: istiod.namespace }],
  };
}
