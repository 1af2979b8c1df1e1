import type { BundleCertificates } from '../istio/bundle.ts';
import { bundleKvKeys } from '../istio/bundle.ts';
import { readEntry, writeEntry } from '../rotation/kv-entry.ts';
import { clusterNames, kvMetadataPath, kvPath } from './names.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { Mesh, MeshCluster } from './schema.ts';

/**
 * The certificates of a bundle once more, without its key, in an entry beside it. KV gives an entry whole or not at all,
 * so this is what a reader that must not see keys judges by.
 */
export interface PublicRecord extends BundleCertificates {
  /** Whether meshroot made the bundle, or found it and was told to adopt it. */
  readonly bundleIsOurs: boolean;
  /** Version of the bundle that it tells of; KV v2 only. */
  readonly version: string | undefined;
  /** The trust domain of the mesh when it was written. */
  readonly trustDomain: string | undefined;
}

const recordEntry = (cluster: MeshCluster): string => `${clusterNames(cluster).bundlePath}-public`;
export const recordPath = (cluster: MeshCluster): string => kvPath(cluster, recordEntry(cluster));

/** What the record says, or undefined when there is none (or one that nobody can read). */
export async function readRecord(cluster: MeshCluster, reach: Reach): Promise<PublicRecord | undefined> {
  const entry = await readEntry(clusterVault(reach, cluster.name), recordPath(cluster));
  const text = (key: string): string => (typeof entry?.[key] === 'string' ? String(entry[key]) : '');
  const record = {
    caCert: text(bundleKvKeys.caCert),
    certChain: text(bundleKvKeys.certChain),
    rootCert: text(bundleKvKeys.rootCert),
    bundleIsOurs: text('bundle_made_by') === 'meshroot',
    version: text('bundle_version') || undefined,
    trustDomain: text('trust_domain') || undefined,
  };
  return record.caCert === '' || record.rootCert === '' ? undefined : record;
}

export async function writeRecord(
  { trustDomain }: Pick<Mesh, 'trustDomain'>,
  cluster: MeshCluster,
  reach: Reach,
  { caCert, certChain, rootCert }: BundleCertificates,
  bundleIsOurs: boolean,
): Promise<void> {
  const version = await bundleVersion(cluster, reach);
  const record = {
    [bundleKvKeys.caCert]: caCert,
    [bundleKvKeys.certChain]: certChain,
    [bundleKvKeys.rootCert]: rootCert,
    trust_domain: trustDomain,
    bundle_made_by: bundleIsOurs ? 'meshroot' : 'others',
    ...(version !== undefined && { bundle_version: version }),
  };
  await writeEntry(clusterVault(reach, cluster.name), recordPath(cluster), record, cluster.kv);
}

export async function deleteRecord(cluster: MeshCluster, reach: Reach): Promise<void> {
  await clusterVault(reach, cluster.name).delete(kvMetadataPath(cluster, recordEntry(cluster)));
}

/** Which version of the bundle is the current one, as KV v2's metadata tells without showing it. */
export async function bundleVersion(cluster: MeshCluster, reach: Reach): Promise<string | undefined> {
  if (cluster.kv !== 2) return undefined;
  const path = kvMetadataPath(cluster, clusterNames(cluster).bundlePath);
  const version = (await clusterVault(reach, cluster.name).read(path))?.data?.current_version;
  return version === undefined ? undefined : String(version);
}
