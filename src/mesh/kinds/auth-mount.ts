import { MeshrootError } from '../../lib/errors.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, madeByMeshroot } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { type MountRow, mountRow } from './mounts.ts';

/** The cluster's own Kubernetes auth mount. */
export function authMountResource(cluster: MeshCluster): Resource<MountRow | undefined> {
  const { authMount } = clusterNames(cluster);
  return {
    group: cluster.name,
    label: `auth/${authMount}`,
    summary: 'kubernetes',
    observe: (reach) => mountRow(clusterVault(reach, cluster.name), 'sys/auth', authMount),
    decide: (row) => {
      if (row !== undefined && row.type !== 'kubernetes') {
        const error = new MeshrootError(
          'mount-of-other-type',
          `auth/${authMount}/ is ${row.type}, not kubernetes`,
          {
            hint: 'move it away or rename the cluster in mesh.yaml',
            exit: 1,
          },
        );
        return { kind: 'refuse', error };
      }
      return decideByLines(row !== undefined, []);
    },
    write: async (reach) => {
      await clusterVault(reach, cluster.name).write(`sys/auth/${authMount}`, {
        type: 'kubernetes',
        description: `logins of ${cluster.name}, ${madeByMeshroot}`,
      });
    },
    undo: {
      exists: (row) => row !== undefined,
      made: isOurMount,
      remove: async (reach) => {
        await clusterVault(reach, cluster.name).delete(`sys/auth/${authMount}`);
        return undefined;
      },
    },
  };
}
