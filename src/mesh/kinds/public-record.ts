import { clusterNames } from '../names.ts';
import { isOurMount } from '../ownership.ts';
import { deleteRecord, recordPath, writeRecord } from '../public-record.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { type SeenBundle, seeBundle } from '../see-bundle.ts';
import { type MountRow, mountRow } from './mounts.ts';

interface Observed extends SeenBundle {
  readonly mount: MountRow | undefined;
}

/** The certificates of the bundle for those who must not see its key: auditors, plans of pipelines, status. */
export function publicRecordResource(cluster: MeshCluster, offline: boolean): Resource<Observed> {
  return {
    group: cluster.name,
    label: `certificates ${recordPath(cluster)}`,
    summary: 'of the intermediate, without its key',
    observe: async (reach) => {
      const { secretsMount } = clusterNames(cluster);
      const mount = await mountRow(clusterVault(reach, cluster.name), 'sys/mounts', secretsMount);
      return { ...(await seeBundle(cluster, reach)), mount };
    },
    decide: ({ bundle, record, stale }) =>
      bundle === undefined && offline
        ? { kind: 'keep' } // comes with the signature
        : decideByLines(record !== undefined, differences({ bundle, record, stale })),
    write: async (reach, { bundle, record }) => {
      if (bundle !== undefined)
        await writeRecord(cluster, reach, bundle, record?.caCert === bundle.caCert && record.bundleIsOurs);
    },
    undo: {
      exists: ({ record, mount }) => record !== undefined && !isOurMount(mount),
      made: () => true,
      remove: async (reach) => {
        await deleteRecord(cluster, reach);
        return undefined;
      },
    },
  };
}

function differences({ bundle, record, stale }: SeenBundle): string[] {
  if (bundle === undefined || record === undefined) return [];
  const same =
    !stale &&
    bundle.caCert === record.caCert &&
    bundle.certChain === record.certChain &&
    bundle.rootCert === record.rootCert;
  return same ? [] : ['~ the bundle was written since'];
}
