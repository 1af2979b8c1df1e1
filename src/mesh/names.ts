import type { MeshCluster } from './schema.ts';

/** The names under which everything of a cluster lives in Vault: those of the seed, so that its set-ups are adopted. */
export interface ClusterNames {
  readonly authMount: string;
  readonly secretsMount: string;
  /** Path of the bundle inside the secrets mount. */
  readonly bundlePath: string;
  readonly role: string;
  readonly policy: string;
}

export function clusterNames({ name }: Pick<MeshCluster, 'name'>): ClusterNames {
  return {
    authMount: `kubernetes-${name}`,
    secretsMount: `kubernetes-${name}-secrets`,
    bundlePath: 'istiod-service/certs',
    role: 'istiod',
    policy: `istiod-certs-${name}`,
  };
}

/** Full path of the bundle: what the policy allows, the agent reads and an operator types. */
export function bundleKvPath(cluster: Pick<MeshCluster, 'name'>): string {
  const { secretsMount, bundlePath } = clusterNames(cluster);
  return `${secretsMount}/${bundlePath}`;
}

/** L= of the intermediate's subject. The seed's Makefile targets are called `istiod-<cluster>`. */
export function intermediateName({ name }: Pick<MeshCluster, 'name'>): string {
  return name;
}
