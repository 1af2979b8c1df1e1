import type { VaultClient } from '../client/vault-client.ts';
import type { BundleCertificates } from '../istio/bundle.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { readBundle } from '../rotation/kv-bundle.ts';
import { isKeyless, seeKeyless } from './keyless.ts';
import { missingMount } from './kinds/auth-config.ts';
import { bundleKvPath } from './names.ts';
import { bundleVersion, type PublicRecord, readRecord } from './public-record.ts';
import { clusterVault, type Reach } from './resource.ts';
import type { MeshCluster } from './schema.ts';

/** A bundle as far as the caller may see it. */
export interface SeenBundle {
  readonly bundle: (BundleCertificates & { readonly caKey?: Secret<string> }) | undefined;
  readonly record: PublicRecord | undefined;
  /** The bundle was written since the record was, by somebody who leaves none. */
  readonly stale: boolean;
}

/** Of a cluster whose mount is not there yet. */
export const nothingSeen: SeenBundle = { bundle: undefined, record: undefined, stale: false };

/**
 * Looks at a cluster's bundle with the least that does: the public record where KV v2 says that it is of the current
 * version; the entry itself, with its key, only where the record cannot tell and the caller may read it. Whether it may is
 * asked first, so that a look around leaves no denial in the audit log.
 * @throws MeshrootError `bundle-not-visible` when there is no record and the entry may not be read
 */
export async function seeBundle(cluster: MeshCluster, reach: Reach): Promise<SeenBundle> {
  const vault = clusterVault(reach, cluster.name);
  if (isKeyless(cluster)) return { ...nothingSeen, bundle: await seeKeyless(cluster, vault) };
  const path = bundleKvPath(cluster);
  const record = await readRecord(cluster, reach).catch(missingMount);
  const version = record?.version === undefined ? undefined : await bundleVersion(cluster, reach);
  const stale = version !== record?.version;
  if (record !== undefined && version !== undefined && !stale) return { bundle: record, record, stale };
  if (await mayRead(vault, path)) {
    return { bundle: await readBundle(vault, path).catch(missingMount), record, stale };
  }
  if (record !== undefined && cluster.kv === 1) return { bundle: record, record, stale: false };
  throw new MeshrootError(
    'bundle-not-visible',
    record === undefined
      ? `this token may not read ${path}, and there is no public record of it`
      : `${path} was written since its public record was: who and what, only its readers can see`,
  );
}

/** @see https://developer.hashicorp.com/vault/api-docs/system/capabilities-self */
async function mayRead(vault: VaultClient, path: string): Promise<boolean> {
  const reply = await vault.write('sys/capabilities-self', { paths: [path] }).catch(ifDenied);
  const found = reply?.data?.[path] ?? reply?.data?.capabilities;
  return Array.isArray(found) && found.some((word) => word === 'root' || word === 'read');
}

function ifDenied(error: unknown): undefined {
  if (error instanceof MeshrootError && error.status === 403) return undefined;
  throw error;
}
