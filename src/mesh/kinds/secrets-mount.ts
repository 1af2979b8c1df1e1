import { parseDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, madeByMeshroot, unlessForeign } from '../ownership.ts';
import { readRecord } from '../public-record.ts';
import {
  clusterVault,
  type DecideContext,
  type Decision,
  decideByLines,
  type Resource,
} from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { type MountRow, mountRow } from './mounts.ts';

/** KV mount of a cluster. Its short default lease makes every agent look again (not after 29 days). */
export function secretsMountResource(cluster: MeshCluster): Resource<MountRow | undefined> {
  const { secretsMount } = clusterNames(cluster);
  const path = `sys/mounts/${secretsMount}`;
  const lease = leaseOf(cluster);
  return {
    group: cluster.name,
    label: `secrets ${secretsMount}`,
    summary: `kv version ${cluster.kv}, read again after ${lease}s`,
    observe: (reach) => mountRow(clusterVault(reach, cluster.name), 'sys/mounts', secretsMount),
    decide: (row, context) => decideMount(cluster, row, context),
    write: async (reach, row) => {
      const vault = clusterVault(reach, cluster.name);
      const config = { default_lease_ttl: `${lease}s` };
      if (row !== undefined) await vault.write(`${path}/tune`, config);
      else {
        const description = `Istio CA bundle of ${cluster.name}, ${madeByMeshroot}`;
        const version = cluster.kv === 2 ? { options: { version: '2' } } : {};
        await vault.write(path, { type: 'kv', description, config, ...version });
      }
    },
    undo: {
      exists: (row) => row !== undefined,
      made: isOurMount,
      remove: async (reach) => {
        // the only copy, perhaps, of a CA that meshroot did not make
        if (
          cluster.intermediate.import !== undefined &&
          (await readRecord(cluster, reach))?.bundleIsOurs === false
        )
          return 'it holds a CA that was imported';
        await clusterVault(reach, cluster.name).delete(path);
        return undefined;
      },
    },
  };
}

/** Seconds. */
const leaseOf = ({ injector }: MeshCluster): number =>
  Math.max(1, Math.round(parseDuration(injector?.refresh ?? '5m') / 1000));

function decideMount(cluster: MeshCluster, row: MountRow | undefined, { adopt }: DecideContext): Decision {
  const { secretsMount } = clusterNames(cluster);
  const version = row?.options.version === '2' ? 2 : 1;
  if (row !== undefined && (row.type !== 'kv' || version !== cluster.kv)) {
    const found = row.type === 'kv' ? `kv version ${version}` : row.type;
    const error = new MeshrootError(
      'mount-of-other-type',
      `${secretsMount}/ is ${found}, not kv version ${cluster.kv}`,
      {
        hint: `move it away (vault secrets move), name another with names.secretsMount${row.type === 'kv' ? `, or say kv: ${version}` : ''}`,
        exit: 1,
      },
    );
    return { kind: 'refuse', error };
  }
  const lease = leaseOf(cluster);
  const same = row?.defaultLeaseTtl === lease;
  const lines = same ? [] : [`- default lease ${row?.defaultLeaseTtl}s`, `+ default lease ${lease}s`];
  return unlessForeign(
    decideByLines(row !== undefined, lines),
    isOurMount(row),
    `secrets ${secretsMount}`,
    adopt,
  );
}
