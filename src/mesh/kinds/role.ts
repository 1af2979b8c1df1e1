import { parseDuration } from '../../lib/duration.ts';
import { isRecord } from '../../lib/records.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, unlessForeign } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { missingMount } from './auth-config.ts';
import { type MountRow, mountRow } from './mounts.ts';

/** Of the Vault token: the agent renews it at two thirds. */
const tokenTtl = '1h';

type Facts = Readonly<Record<string, string>>;

interface Observed {
  readonly facts: Facts | undefined;
  readonly mount: MountRow | undefined;
}

export interface WantedRole {
  readonly role: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly policy: string;
}

/** Which service account may log in, and what it may then do: istiod and its own bundle. */
export function roleResource(cluster: MeshCluster): Resource<Observed> {
  const { role, policy } = clusterNames(cluster);
  const { namespace, serviceAccount } = cluster.istiod;
  return roleOf(cluster, { role, policy, namespace, serviceAccount });
}

/** Any role of the cluster's Kubernetes login. The audience is always bound. */
export function roleOf(
  cluster: MeshCluster,
  { role, namespace, serviceAccount, policy }: WantedRole,
): Resource<Observed> {
  const { authMount } = clusterNames(cluster);
  const path = `auth/${authMount}/role/${role}`;
  const wanted: Facts = {
    'service account': serviceAccount,
    namespace,
    policies: policy,
    audience: cluster.audience,
    ttl: `${parseDuration(tokenTtl) / 1000}`,
  };
  return {
    group: cluster.name,
    label: `role ${role}`,
    summary: `${namespace}/${serviceAccount} -> ${policy}, ttl ${tokenTtl}`,
    observe: async (reach) => {
      const vault = clusterVault(reach, cluster.name);
      return {
        facts: factsOf((await vault.read(path).catch(missingMount))?.data),
        mount: await mountRow(vault, 'sys/auth', authMount),
      };
    },
    decide: ({ facts, mount }, { adopt }) => {
      const lines = facts === undefined ? [] : differences(facts, wanted);
      const decision = decideByLines(facts !== undefined, lines);
      return unlessForeign(decision, isOurMount(mount), `role ${role} of auth/${authMount}`, adopt);
    },
    write: async (reach) => {
      await clusterVault(reach, cluster.name).write(path, {
        bound_service_account_names: [serviceAccount],
        bound_service_account_namespaces: [namespace],
        audience: cluster.audience,
        token_policies: [policy],
        token_ttl: tokenTtl,
      });
    },
  };
}

function factsOf(data: unknown): Facts | undefined {
  if (!isRecord(data)) return undefined;
  const list = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value ?? ''));
  return {
    'service account': list(data.bound_service_account_names),
    namespace: list(data.bound_service_account_namespaces),
    policies: list(data.token_policies),
    audience: list(data.audience),
    ttl: list(data.token_ttl),
  };
}

function differences(found: Facts, wanted: Facts): string[] {
  return Object.keys(wanted)
    .filter((key) => found[key] !== wanted[key])
    .flatMap((key) => [`- ${key} ${found[key] || '(none)'}`, `+ ${key} ${wanted[key]}`]);
}
