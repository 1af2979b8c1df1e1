import { bundleKvPath, clusterNames, kvPath } from '../names.ts';
import type { Resource } from '../resource.ts';
import { auditRules } from '../role-policies.ts';
import type { MeshCluster } from '../schema.ts';
import { gatewayEntry } from './gateway-certificate.ts';
import { policyOf, policyRule } from './policy.ts';
import { roleOf } from './role.ts';

type Access = MeshCluster['access'][number];

/** Who besides istiod may log in on this cluster: gateways and whatever mesh.yaml lists. */
function guestsOf(cluster: MeshCluster): Access[] {
  const gateways = cluster.gateways.map(({ name, namespace, serviceAccount }) => ({
    name: gatewayRole(name),
    namespace,
    serviceAccount,
    can: 'read' as const,
    path: gatewayEntry(name),
  }));
  return [...cluster.access, ...gateways];
}

/** Name of the role that a gateway logs in by. */
export const gatewayRole = (name: string): string => `gateway-${name}`;

/** Every role that mesh.yaml asks for on this cluster, istiod's first. */
export const rolesOf = (cluster: MeshCluster): ReadonlySet<string> =>
  new Set([clusterNames(cluster).role, ...guestsOf(cluster).map(({ name }) => name)]);

/** Every policy that mesh.yaml asks for on this cluster. */
export const policiesOf = (cluster: MeshCluster): string[] => [
  clusterNames(cluster).policy,
  ...guestsOf(cluster).map(({ name }) => accessPolicyName(cluster, name)),
];

/** Each guest's role, with a policy of its own. */
export function accessResources(cluster: MeshCluster): Resource[] {
  return guestsOf(cluster).flatMap((access) => {
    const { name, serviceAccount } = access;
    const namespaces = [access.namespace].flat();
    const policy = accessPolicyName(cluster, name);
    return [
      policyOf(cluster, policy, accessPolicy(cluster, access), summaryOf(cluster, access)) as Resource,
      roleOf(cluster, { role: name, namespaces, serviceAccount, policy }) as Resource,
    ];
  });
}

export const accessPolicyName = (cluster: MeshCluster, name: string): string =>
  `${clusterNames(cluster).policy}-${name}`;

/**
 * Three kinds of rights, each as narrow as its work: `read` one entry; `write` that entry and no other, not even read
 * it; `audit` see how everything is set up and its certificates, and no key.
 */
export function accessPolicy(cluster: MeshCluster, { can, path }: Access): string {
  const entry = path === undefined ? bundleKvPath(cluster) : kvPath(cluster, path);
  if (can === 'read') return policyRule(entry, ['read']);
  if (can === 'write') return policyRule(entry, ['create', 'update']);
  return auditRules(cluster);
}

function summaryOf(cluster: MeshCluster, { can, path }: Access): string {
  const entry = path === undefined ? bundleKvPath(cluster) : kvPath(cluster, path);
  return can === 'audit' ? 'see the set-up, no key' : `${can} ${entry}, nothing else`;
}
