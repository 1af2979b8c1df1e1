import { MeshrootError } from '../../lib/errors.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, madeByMeshroot, unlessForeign } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { type MountRow, mountRow } from './mounts.ts';

/** A role's name is no secret: in clear it lets the audit log say which role a refused login asked for. */
const clearKeys = ['role'];

/** The cluster's own login: Kubernetes, or JWT where its tokens are checked by its public keys. */
export function authMountResource(cluster: MeshCluster): Resource<MountRow | undefined> {
  const { authMount } = clusterNames(cluster);
  const type = cluster.reviewer === 'jwks' ? 'jwt' : 'kubernetes';
  return {
    group: cluster.name,
    label: `auth/${authMount}`,
    summary: type,
    observe: (reach) => mountRow(clusterVault(reach, cluster.name), 'sys/auth', authMount),
    decide: (row, { adopt }) => {
      if (row !== undefined && row.type !== type) {
        const error = new MeshrootError(
          'mount-of-other-type',
          `auth/${authMount}/ is ${row.type}, not ${type}`,
          {
            hint: 'move it away (vault auth move), or name another with names.authMount',
            exit: 1,
          },
        );
        return { kind: 'refuse', error };
      }
      const hidden = row !== undefined && !clearKeys.every((key) => row.clearKeys.includes(key));
      const lines = hidden ? ['+ the audit log shows the role that a login asks for'] : [];
      const decision = decideByLines(row !== undefined, lines);
      return unlessForeign(decision, isOurMount(row), `auth/${authMount}`, adopt);
    },
    write: async (reach, row) => {
      const vault = clusterVault(reach, cluster.name);
      if (row === undefined) {
        const description = `logins of ${cluster.name}, ${madeByMeshroot}`;
        await vault.write(`sys/auth/${authMount}`, { type, description });
      }
      await vault.write(`sys/auth/${authMount}/tune`, { audit_non_hmac_request_keys: clearKeys });
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
