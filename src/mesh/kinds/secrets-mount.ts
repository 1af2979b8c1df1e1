import { parseDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { clusterNames } from '../names.ts';
import { decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { type MountRow, mountRow } from './mounts.ts';

/** KV v1 mount of a cluster, as in the seed. Its short default lease makes every agent look again (not after 29 days). */
export function secretsMountResource(cluster: MeshCluster): Resource<MountRow | undefined> {
  const { secretsMount } = clusterNames(cluster);
  const lease = Math.max(1, Math.round(parseDuration(cluster.injector?.refresh ?? '5m') / 1000));
  return {
    group: cluster.name,
    label: `secrets ${secretsMount}`,
    summary: `kv version 1, read again after ${lease}s`,
    observe: ({ vault }) => mountRow(vault, 'sys/mounts', secretsMount),
    decide: (row) => {
      if (row !== undefined && (row.type !== 'kv' || row.options.version === '2')) {
        const found = row.type === 'kv' ? 'kv version 2' : row.type;
        const error = new MeshrootError(
          'mount-of-other-type',
          `${secretsMount}/ is ${found}, not kv version 1`,
          {
            hint: 'move it away: vault secrets move; meshroot never converts or deletes a mount',
            exit: 1,
          },
        );
        return { kind: 'refuse', error };
      }
      return decideByLines(
        row !== undefined,
        row?.defaultLeaseTtl === lease
          ? []
          : [`- default lease ${row?.defaultLeaseTtl}s`, `+ default lease ${lease}s`],
      );
    },
    write: async ({ vault }, row) => {
      if (row === undefined) {
        await vault.write(`sys/mounts/${secretsMount}`, {
          type: 'kv',
          description: `Istio CA bundle of ${cluster.name}, made by meshroot`,
          config: { default_lease_ttl: `${lease}s` },
        });
      } else {
        await vault.write(`sys/mounts/${secretsMount}/tune`, { default_lease_ttl: `${lease}s` });
      }
    },
  };
}
