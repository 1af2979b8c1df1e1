import { MeshrootError } from '../../lib/errors.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, madeByMeshroot, unlessForeign } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { type MountRow, mountRow } from './mounts.ts';

/** PKI mount of a cluster whose CA key never leaves Vault. */
export function keylessMountResource(cluster: MeshCluster): Resource<MountRow | undefined> {
  const { pkiMount } = clusterNames(cluster);
  const path = `sys/mounts/${pkiMount}`;
  const ttl = Math.round(cluster.intermediate.ttl / 1000);
  return {
    group: cluster.name,
    label: `pki ${pkiMount}`,
    summary: 'pki, signs for the CA of the cluster',
    observe: (reach) => mountRow(clusterVault(reach, cluster.name), 'sys/mounts', pkiMount),
    decide: (row, { adopt }) => {
      if (row !== undefined && row.type !== 'pki') {
        const error = new MeshrootError('mount-of-other-type', `${pkiMount}/ is ${row.type}, not pki`, {
          hint: 'move it away (vault secrets move), or name another with names.pkiMount',
          exit: 1,
        });
        return { kind: 'refuse', error };
      }
      const lines = row?.maxLeaseTtl === ttl ? [] : [`- longest ${row?.maxLeaseTtl}s`, `+ longest ${ttl}s`];
      return unlessForeign(
        decideByLines(row !== undefined, lines),
        isOurMount(row),
        `pki ${pkiMount}`,
        adopt,
      );
    },
    write: async (reach, row) => {
      const vault = clusterVault(reach, cluster.name);
      const config = { max_lease_ttl: `${ttl}s` };
      if (row !== undefined) await vault.write(`${path}/tune`, config);
      else {
        const description = `Istio CA of ${cluster.name}, ${madeByMeshroot}; its key never leaves`;
        await vault.write(path, { type: 'pki', description, config });
      }
    },
    undo: {
      exists: (row) => row !== undefined,
      made: isOurMount,
      remove: async (reach) => {
        await clusterVault(reach, cluster.name).delete(path);
        return undefined;
      },
    },
  };
}
