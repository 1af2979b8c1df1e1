import type { KubeObject } from '../kube/api.ts';
import { istiodDeployment, istiodIdentity } from './istiod-manifests.ts';
import { isKeyless } from './keyless.ts';
import { accessResources, policiesOf } from './kinds/access.ts';
import { authConfigResource } from './kinds/auth-config.ts';
import { authMountResource } from './kinds/auth-mount.ts';
import { formerRolesResource } from './kinds/former-roles.ts';
import { gatewayCertificates } from './kinds/gateway-certificate.ts';
import { intermediateResource } from './kinds/intermediate.ts';
import { jwksConfigResource } from './kinds/jwks-config.ts';
import { keylessMountResource } from './kinds/keyless-mount.ts';
import { keylessRoleResource } from './kinds/keyless-role.ts';
import { kubeObjectResource } from './kinds/kube-object.ts';
import { lifetimesResource } from './kinds/lifetimes.ts';
import { offlineRootResource } from './kinds/offline-root.ts';
import { policyResource } from './kinds/policy.ts';
import { publicRecordResource } from './kinds/public-record.ts';
import { reviewerSecret } from './kinds/reviewer-token.ts';
import { roleResource } from './kinds/role.ts';
import { rootResource } from './kinds/root.ts';
import { secretsMountResource } from './kinds/secrets-mount.ts';
import { sharedContextsResource } from './kinds/shared-contexts.ts';
import { stateResource } from './kinds/state.ts';
import type { Resource } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';

/**
 * Everything that mesh.yaml asks for, in the order in which it has to come into being: first what all clusters share,
 * then each cluster's own (clusters do not depend on each other).
 */
export function desired(mesh: Mesh, parts: DesiredParts): Resource[] {
  const { offline } = mesh.root;
  const policies = new Set(mesh.clusters.flatMap(policiesOf));
  return [
    sharedContextsResource(mesh) as Resource,
    stateResource() as Resource,
    (offline === undefined ? rootResource(mesh) : offlineRootResource(offline)) as Resource,
    ...mesh.clusters.flatMap((cluster) => ofCluster(mesh, cluster, parts, policies)),
  ];
}

/** Where the CA of the cluster is: a bundle for istiod, or a PKI mount that signs for our CA. */
function authorityResources(mesh: Mesh, cluster: MeshCluster): unknown[] {
  if (!isKeyless(cluster)) {
    return [
      secretsMountResource(cluster),
      intermediateResource(mesh, cluster),
      publicRecordResource(mesh, cluster),
    ];
  }
  const stores = cluster.gateways.length > 0 || cluster.access.some(({ path }) => path !== undefined);
  return [
    ...(stores ? [secretsMountResource(cluster)] : []),
    keylessMountResource(cluster),
    intermediateResource(mesh, cluster),
    keylessRoleResource(mesh, cluster),
  ];
}

/** What other rooms contribute. */
export interface DesiredParts {
  /** The objects that register (and run) the injector on a cluster. */
  injector(mesh: Mesh, cluster: MeshCluster): KubeObject[];
}

function ofCluster(
  mesh: Mesh,
  cluster: MeshCluster,
  parts: DesiredParts,
  policies: ReadonlySet<string>,
): Resource[] {
  const objects = (list: readonly KubeObject[]) =>
    list.map((object) => kubeObjectResource(cluster.name, object));
  return [
    lifetimesResource(mesh, cluster),
    ...objects(parts.injector(mesh, cluster)),
    ...objects(istiodIdentity(cluster)),
    ...objects(reviewerSecret(cluster)),
    ...authorityResources(mesh, cluster),
    policyResource(cluster),
    authMountResource(cluster),
    cluster.reviewer === 'jwks' ? jwksConfigResource(cluster) : authConfigResource(cluster),
    roleResource(cluster),
    ...accessResources(cluster),
    formerRolesResource(cluster, policies),
    ...gatewayCertificates(mesh, cluster),
    ...objects(istiodDeployment(mesh, cluster)),
  ] as Resource[];
}
