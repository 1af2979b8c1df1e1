import { parseDuration } from '../../lib/duration.ts';
import { isRecord } from '../../lib/records.ts';
import { clusterNames } from '../names.ts';
import { decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { missingMount } from './auth-config.ts';

/** The audience that Kubernetes gives to tokens mounted into pods. */
const defaultAudience = 'https://kubernetes.default.svc';
/** Of the Vault token: the agent renews it at two thirds. */
const tokenTtl = '1h';

type Facts = Readonly<Record<string, string>>;

/** Which service account may log in, and what it may then do. */
export function roleResource(cluster: MeshCluster): Resource<Facts | undefined> {
  const { authMount, role, policy } = clusterNames(cluster);
  const path = `auth/${authMount}/role/${role}`;
  const wanted: Facts = {
    'service account': cluster.istiod.serviceAccount,
    namespace: cluster.istiod.namespace,
    policies: policy,
    audience: defaultAudience,
    ttl: `${parseDuration(tokenTtl) / 1000}`,
  };
  return {
    group: cluster.name,
    label: `role ${role}`,
    summary: `${cluster.istiod.namespace}/${cluster.istiod.serviceAccount} -> ${policy}, ttl ${tokenTtl}`,
    observe: async ({ vault }) => factsOf((await vault.read(path).catch(missingMount))?.data),
    decide: (found) =>
      decideByLines(found !== undefined, found === undefined ? [] : differences(found, wanted)),
    write: async ({ vault }) => {
      await vault.write(path, {
        bound_service_account_names: [cluster.istiod.serviceAccount],
        bound_service_account_namespaces: [cluster.istiod.namespace],
        audience: defaultAudience,
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
