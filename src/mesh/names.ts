import type { MeshCluster } from './schema.ts';

/** The names under which everything of a cluster lives in Vault: those of the seed, so that its set-ups are adopted. */
export interface ClusterNames {
  readonly authMount: string;
  readonly secretsMount: string;
  /** Path of the bundle inside the secrets mount. */
  readonly bundlePath: string;
  /** PKI mount of a cluster whose CA key stays in Vault (`delivery: keyless`). */
  readonly pkiMount: string;
  readonly role: string;
  readonly policy: string;
}

/** A cluster as far as its names go. */
export type Named = Pick<MeshCluster, 'name'> & Partial<Pick<MeshCluster, 'names' | 'kv'>>;

export function clusterNames({ name, names }: Named): ClusterNames {
  return {
    authMount: names?.authMount ?? `kubernetes-${name}`,
    secretsMount: names?.secretsMount ?? `kubernetes-${name}-secrets`,
    bundlePath: names?.bundlePath ?? 'istiod-service/certs',
    pkiMount: names?.pkiMount ?? `kubernetes-${name}-pki`,
    role: names?.role ?? 'istiod',
    policy: names?.policy ?? `istiod-certs-${name}`,
  };
}

/** Path of an entry of the cluster's secrets mount as its API, policies and agents have it: KV v2 puts `data/` before it. */
export function kvPath(cluster: Named, path: string): string {
  return `${clusterNames(cluster).secretsMount}/${cluster.kv === 2 ? 'data/' : ''}${path}`;
}

/** Full path of the bundle: what the policy allows, the agent reads and an operator types. */
export function bundleKvPath(cluster: Named): string {
  return kvPath(cluster, clusterNames(cluster).bundlePath);
}

/** Path of what KV v2 knows of an entry besides its data: its versions; deleting it deletes them all. */
export function kvMetadataPath(cluster: Named, path: string): string {
  return `${clusterNames(cluster).secretsMount}/${cluster.kv === 2 ? 'metadata/' : ''}${path}`;
}

/** L= of the intermediate's subject. The seed's Makefile targets are called `istiod-<cluster>`. */
export function intermediateName({ name }: Pick<MeshCluster, 'name'>): string {
  return name;
}
