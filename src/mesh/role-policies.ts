import { stateMount } from '../rotation/state-mount.ts';
import { isKeyless, keylessPaths } from './keyless.ts';
import { gatewayRecordPath } from './kinds/gateway-certificate.ts';
import { policyRule, policyText } from './kinds/policy.ts';
import { bundleKvPath, clusterNames, kvMetadataPath, kvPath } from './names.ts';
import { requestEntry } from './offline-request.ts';
import { probeMount } from './probe-kubernetes.ts';
import { recordPath } from './public-record.ts';
import type { Mesh, MeshCluster } from './schema.ts';

/** Who works with a mesh, from the least to the most that one may do. */
export const policyRoles = ['reader', 'writer', 'auditor', 'operator'] as const;
export type PolicyRole = (typeof policyRoles)[number];

const ofCluster: Readonly<Record<PolicyRole, (cluster: MeshCluster) => string>> = {
  reader: policyText,
  writer: (cluster) => (isKeyless(cluster) ? '' : policyRule(bundleKvPath(cluster), ['create', 'update'])),
  auditor: auditRules,
  operator: operateRules,
};

/** The text of a Vault policy for a role, over the clusters given. */
export function rolePolicy(mesh: Mesh, role: PolicyRole, clusters: readonly MeshCluster[]): string {
  const shared = sharedRules(mesh)[role];
  const parts = clusters.map((cluster) => `# cluster ${cluster.name}\n${ofCluster[role](cluster)}`);
  return [...(shared === '' ? [] : [shared]), ...parts].join('\n');
}

/** How a cluster is set up, and no key: the certificates come from the public record beside the bundle. */
export function auditRules(cluster: MeshCluster): string {
  const { authMount, policy, bundlePath, pkiMount } = clusterNames(cluster);
  return [
    policyRule('sys/mounts', ['read']),
    policyRule('sys/auth', ['read']),
    policyRule(`sys/policies/acl/${policy}*`, ['read']),
    policyRule(`auth/${authMount}/config`, ['read']),
    policyRule(`auth/${authMount}/role/*`, ['read', 'list']),
    ...(isKeyless(cluster)
      ? [policyRule(keylessPaths(cluster).chain, ['read']), policyRule(`${pkiMount}/roles/*`, ['read'])]
      : [policyRule(recordPath(cluster), ['read'])]),
    policyRule(kvPath(cluster, requestEntry(cluster)), ['read']),
    ...(cluster.kv === 2 ? [policyRule(kvMetadataPath(cluster, bundlePath), ['read'])] : []),
    ...cluster.gateways.map(({ name }) => policyRule(gatewayRecordPath(cluster, name), ['read'])),
  ].join('');
}

/** What `apply` and `rotate` write of a cluster, and nothing of another one. */
function operateRules(cluster: MeshCluster): string {
  const { authMount, secretsMount, policy, bundlePath, pkiMount } = clusterNames(cluster);
  const all = ['create', 'read', 'update', 'delete', 'list'];
  return [
    policyRule(`sys/mounts/${secretsMount}`, ['create', 'read', 'update', 'delete']),
    policyRule(`sys/mounts/${secretsMount}/tune`, ['read', 'update']),
    policyRule(`sys/auth/${authMount}`, ['create', 'read', 'update', 'delete', 'sudo']),
    policyRule(`sys/auth/${authMount}/tune`, ['read', 'update', 'sudo']),
    policyRule(`sys/policies/acl/${policy}*`, ['create', 'read', 'update', 'delete']),
    policyRule(`auth/${authMount}/config`, ['create', 'read', 'update']),
    policyRule(`auth/${authMount}/role/*`, all),
    policyRule(`${kvPath(cluster, bundlePath)}*`, all),
    ...(isKeyless(cluster) ? keylessRules(pkiMount) : []),
    ...(cluster.kv === 2 ? [policyRule(`${kvMetadataPath(cluster, bundlePath)}*`, all)] : []),
    ...(cluster.gateways.length === 0 ? [] : [policyRule(kvPath(cluster, 'gateways/*'), all)]),
    ...(cluster.gateways.length === 0 || cluster.kv === 1
      ? []
      : [policyRule(kvMetadataPath(cluster, 'gateways/*'), all)]),
  ].join('');
}

/** To make the mount, put an intermediate in and let it sign; what is signed by it is not for an operator. */
const keylessRules = (mount: string): string[] => [
  policyRule(`sys/mounts/${mount}`, ['create', 'read', 'update', 'delete']),
  policyRule(`sys/mounts/${mount}/tune`, ['read', 'update']),
  policyRule(`${mount}/intermediate/*`, ['create', 'update']),
  policyRule(`${mount}/config/issuers`, ['create', 'update']),
  policyRule(`${mount}/roles/*`, ['create', 'read', 'update']),
];

function sharedRules({ root, clusters }: Mesh): Readonly<Record<PolicyRole, string>> {
  const inVault = root.offline === undefined;
  const seeRoot = inVault
    ? policyRule(`${root.mount}/issuers`, ['list']) + policyRule(`${root.mount}/cert/ca`, ['read'])
    : '';
  const makeRoot = inVault
    ? [
        policyRule(`sys/mounts/${root.mount}`, ['create', 'read', 'update', 'delete']),
        policyRule(`${root.mount}/root/generate/internal`, ['create', 'update']),
        policyRule(`${root.mount}/config/ca`, ['create', 'update']),
        policyRule(`${root.mount}/root/sign-intermediate`, ['create', 'update']),
        ...(clusters.some(({ gateways }) => gateways.some(({ hosts }) => hosts !== undefined))
          ? [policyRule(`${root.mount}/sign-verbatim`, ['create', 'update'])]
          : []),
      ].join('')
    : '';
  const tables = policyRule('sys/mounts', ['read']) + policyRule('sys/auth', ['read']);
  const state =
    policyRule(`sys/mounts/${stateMount}`, ['create', 'read', 'update', 'delete']) +
    policyRule(`${stateMount}/*`, ['create', 'read', 'update']) +
    policyRule(`${stateMount}/metadata/made/*`, ['delete']);
  const probe = clusters.some(({ probeKubernetes, reviewer }) => probeKubernetes && reviewer !== 'jwks')
    ? policyRule(`sys/auth/${probeMount}`, ['create', 'read', 'update', 'delete', 'sudo']) +
      policyRule(`auth/${probeMount}/config`, ['create', 'update'])
    : '';
  return { reader: '', writer: '', auditor: seeRoot, operator: tables + seeRoot + makeRoot + state + probe };
}
