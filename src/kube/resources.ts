import type { ObjectType } from './api.ts';

/** How a kind is spelled in paths. */
export interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const namespaced = (plural: string): Resource => ({ plural, namespaced: true });
const cluster = (plural: string): Resource => ({ plural, namespaced: false });

/** Built-in kinds by `apiVersion/kind`; everything else is asked of the server's discovery. */
const builtIn: Readonly<Record<string, Resource>> = {
  'v1/Namespace': cluster('namespaces'),
  'v1/Node': cluster('nodes'),
  'v1/Pod': namespaced('pods'),
  'v1/Secret': namespaced('secrets'),
  'v1/ConfigMap': namespaced('configmaps'),
  'v1/Service': namespaced('services'),
  'v1/Endpoints': namespaced('endpoints'),
  'v1/Event': namespaced('events'),
  'v1/ServiceAccount': namespaced('serviceaccounts'),
  'events.k8s.io/v1/Event': namespaced('events'),
  'discovery.k8s.io/v1/EndpointSlice': namespaced('endpointslices'),
  'apps/v1/Deployment': namespaced('deployments'),
  'apps/v1/ReplicaSet': namespaced('replicasets'),
  'apps/v1/StatefulSet': namespaced('statefulsets'),
  'apps/v1/DaemonSet': namespaced('daemonsets'),
  'batch/v1/Job': namespaced('jobs'),
  'coordination.k8s.io/v1/Lease': namespaced('leases'),
  'rbac.authorization.k8s.io/v1/Role': namespaced('roles'),
  'rbac.authorization.k8s.io/v1/RoleBinding': namespaced('rolebindings'),
  'rbac.authorization.k8s.io/v1/ClusterRole': cluster('clusterroles'),
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': cluster('clusterrolebindings'),
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': cluster('mutatingwebhookconfigurations'),
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': cluster(
    'validatingwebhookconfigurations',
  ),
  'apiextensions.k8s.io/v1/CustomResourceDefinition': cluster('customresourcedefinitions'),
  'certificates.k8s.io/v1/CertificateSigningRequest': cluster('certificatesigningrequests'),
};

export function builtInResource(type: ObjectType): Resource | undefined {
  return builtIn[`${type.apiVersion}/${type.kind}`];
}

/** `/api/v1` for the core group, `/apis/<group>/<version>` for all others. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** Path of a collection, of one object in it, or of a subresource of that object. */
export function resourcePath(
  type: ObjectType,
  resource: Resource,
  at: {
    readonly namespace?: string | undefined;
    readonly name?: string | undefined;
    readonly subresource?: string | undefined;
  },
): string {
  const parts = [groupPath(type.apiVersion)];
  if (resource.namespaced && at.namespace !== undefined) parts.push('namespaces', segment(at.namespace));
  parts.push(resource.plural);
  if (at.name !== undefined) parts.push(segment(at.name));
  if (at.subresource !== undefined) parts.push(...at.subresource.split('/').map(segment));
  return parts.join('/');
}

/** A name never leaves its place in a path, whatever it holds. */
function segment(name: string): string {
  if (name === '.' || name === '..' || name === '') return '%2E';
  return encodeURIComponent(name);
}
