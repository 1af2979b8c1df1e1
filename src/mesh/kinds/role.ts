import { parseDuration } from '../../lib/duration.ts';
import { noteMade, removeMade, wasMade } from '../made-record.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, unlessForeign } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { missingMount } from './auth-config.ts';
import { type MountRow, mountRow } from './mounts.ts';
import { type RoleFacts, roleFacts, roleFields, type WantedRole } from './role-fields.ts';

/** Of the Vault token: the agent renews it at two thirds. */
const tokenTtl = '1h';

interface Observed {
  readonly facts: RoleFacts | undefined;
  readonly mount: MountRow | undefined;
  /** Noted as meshroot's own, in a mount of others. */
  readonly noted: boolean;
}

/** Which service account may log in, and what it may then do: istiod and its own bundle. */
export function roleResource(cluster: MeshCluster): Resource<Observed> {
  const { role, policy } = clusterNames(cluster);
  const { namespace, serviceAccount } = cluster.istiod;
  return roleOf(cluster, { role, policy, namespaces: [namespace], serviceAccount });
}

/** Any role of the cluster's login. The audience is always bound. */
export function roleOf(cluster: MeshCluster, role: WantedRole): Resource<Observed> {
  const { authMount } = clusterNames(cluster);
  const path = `auth/${authMount}/role/${role.role}`;
  const fields = roleFields(cluster, role, tokenTtl);
  const wanted = roleFacts({ ...fields, token_ttl: parseDuration(tokenTtl) / 1000 }) ?? {};
  return {
    group: cluster.name,
    label: `role ${role.role}`,
    summary: `${role.namespaces.join(',')}/${role.serviceAccount} -> ${role.policy}, ttl ${tokenTtl}`,
    observe: async (reach) => {
      const vault = clusterVault(reach, cluster.name);
      const mount = await mountRow(vault, 'sys/auth', authMount);
      const facts = mount && roleFacts((await vault.read(path).catch(missingMount))?.data);
      const inOthers = facts !== undefined && !isOurMount(mount);
      return { facts, mount, noted: inOthers && (await wasMade(reach, cluster.name, path)) };
    },
    decide: ({ facts, mount, noted }, { adopt }) => {
      const lines = facts === undefined ? [] : differences(facts, wanted);
      const decision = decideByLines(facts !== undefined, lines);
      return unlessForeign(
        decision,
        noted || isOurMount(mount),
        `role ${role.role} of auth/${authMount}`,
        adopt,
      );
    },
    write: async (reach, { facts }) => {
      const vault = clusterVault(reach, cluster.name);
      const mount = await mountRow(vault, 'sys/auth', authMount);
      if (facts === undefined && !isOurMount(mount)) await noteMade(reach, cluster.name, path);
      await vault.write(path, fields);
    },
    undo: {
      // In a mount of our own it goes with the mount.
      exists: ({ facts, mount }) => facts !== undefined && !isOurMount(mount),
      made: ({ noted }) => noted,
      remove: (reach) => removeMade(reach, clusterVault(reach, cluster.name), cluster.name, path),
    },
  };
}

function differences(found: RoleFacts, wanted: RoleFacts): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])]
    .filter((key) => found[key] !== wanted[key])
    .flatMap((key) => [`- ${key} ${found[key] || '(none)'}`, `+ ${key} ${wanted[key] || '(none)'}`]);
}
