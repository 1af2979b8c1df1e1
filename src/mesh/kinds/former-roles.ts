import type { VaultClient } from '../../client/vault-client.ts';
import { removeMade, wasMade } from '../made-record.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, policyMark } from '../ownership.ts';
import { clusterVault, keep, type Reach, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { accessPolicyName, rolesOf } from './access.ts';
import { missingMount } from './auth-config.ts';
import { mountRow } from './mounts.ts';
import { roleFacts } from './role-fields.ts';

interface FormerRole {
  readonly role: string;
  readonly policy: string;
  /** In a mount of others, where meshroot noted what it made. */
  readonly noted: boolean;
}

/**
 * Roles and policies that an earlier mesh.yaml asked for: who is taken out of the file can log in no more. Known by
 * the pair that `accessResources` makes, a role and the policy named after it, which bears meshroot's mark.
 * @param policies all that the file asks for: a cluster that came since may have the name of a former one
 */
export function formerRolesResource(
  cluster: MeshCluster,
  policies: ReadonlySet<string>,
): Resource<readonly FormerRole[]> {
  const { authMount } = clusterNames(cluster);
  return {
    group: cluster.name,
    label: `former roles of auth/${authMount}`,
    summary: 'mesh.yaml no longer asks for them',
    observe: (reach) => observe(cluster, policies, reach),
    decide: (former) =>
      former.length === 0
        ? keep
        : {
            kind: 'remove',
            lines: former.map(({ role, policy }) => `- role ${role} with its policy ${policy}`),
          },
    write: async (reach, former) => {
      for (const one of former) await remove(cluster, one, reach);
    },
    undo: {
      exists: (former) => former.length > 0,
      made: () => true,
      remove: async (reach, former) => {
        for (const one of former) await remove(cluster, one, reach);
        return undefined;
      },
    },
  };
}

async function observe(
  cluster: MeshCluster,
  policies: ReadonlySet<string>,
  reach: Reach,
): Promise<readonly FormerRole[]> {
  const vault = clusterVault(reach, cluster.name);
  const { authMount } = clusterNames(cluster);
  const mount = await mountRow(vault, 'sys/auth', authMount);
  if (mount === undefined) return [];
  const wanted = rolesOf(cluster);
  const others = (await vault.list(`auth/${authMount}/role`)).filter((role) => !wanted.has(role));
  const found: FormerRole[] = [];
  for (const role of others) {
    const policy = accessPolicyName(cluster, role);
    if (policies.has(policy)) continue;
    const path = `auth/${authMount}/role/${role}`;
    const noted = !isOurMount(mount) && (await wasMade(reach, cluster.name, path));
    if ((isOurMount(mount) || noted) && (await isPair(vault, path, policy)))
      found.push({ role, policy, noted });
  }
  return found;
}

async function isPair(vault: VaultClient, path: string, policy: string): Promise<boolean> {
  const facts = roleFacts((await vault.read(path).catch(missingMount))?.data);
  if (facts?.policies !== policy) return false;
  const text = (await vault.read(`sys/policies/acl/${policy}`))?.data?.policy;
  return typeof text === 'string' && text.startsWith(policyMark);
}

/** The role first: without it nobody gets the policy any more. */
async function remove(
  cluster: MeshCluster,
  { role, policy, noted }: FormerRole,
  reach: Reach,
): Promise<void> {
  const vault = clusterVault(reach, cluster.name);
  const path = `auth/${clusterNames(cluster).authMount}/role/${role}`;
  if (noted) await removeMade(reach, vault, cluster.name, path);
  else await vault.delete(path);
  await vault.delete(`sys/policies/acl/${policy}`);
}
