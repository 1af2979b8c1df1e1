import type { KubeApi } from '../../kube/api.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { parseCertificates } from '../../x509/certificate.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, unlessForeign } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { type MountRow, mountRow } from './mounts.ts';
import { reviewerToken } from './reviewer-token.ts';

interface AuthConfig {
  readonly host: string;
  /** PEM. */
  readonly authority: string;
  readonly storesReviewer: boolean;
  readonly localToken: boolean;
}

interface Observed {
  readonly wanted: AuthConfig;
  readonly found: AuthConfig | undefined;
  readonly mount: MountRow | undefined;
}

/**
 * Where Vault asks "whose token is this?": the cluster's API server and its authority. By default no reviewer token is
 * stored: a login carries its own, and istiod's service account may ask for a review (system:auth-delegator).
 */
export function authConfigResource(cluster: MeshCluster): Resource<Observed> {
  const { authMount } = clusterNames(cluster);
  const path = `auth/${authMount}/config`;
  const stored = cluster.reviewer === 'stored';
  return {
    group: cluster.name,
    reachesOut: true,
    label: `config of auth/${authMount}`,
    summary: `the api server and its authority, ${stored ? 'a stored' : 'no stored'} reviewer token`,
    observe: async (reach) => {
      const kube = await reach.kube(cluster.name);
      const authority = (await kube.authority()) ?? '';
      const wanted = {
        host: apiServerOf(cluster, kube),
        authority,
        storesReviewer: stored,
        localToken: false,
      };
      const vault = clusterVault(reach, cluster.name);
      const mount = await mountRow(vault, 'sys/auth', authMount);
      const found = mount && parseConfig((await vault.read(path).catch(missingMount))?.data);
      return { wanted, found, mount };
    },
    decide: ({ wanted, found, mount }, { adopt }) => {
      const lines = found === undefined ? [] : differences(wanted, found);
      const decision = decideByLines(found !== undefined, lines);
      return unlessForeign(decision, isOurMount(mount), `config of auth/${authMount}`, adopt);
    },
    write: async (reach, { wanted }) => {
      await clusterVault(reach, cluster.name).write(path, {
        kubernetes_host: wanted.host,
        kubernetes_ca_cert: wanted.authority,
        disable_local_ca_jwt: true,
        token_reviewer_jwt: stored ? await reviewerToken(cluster, reach) : '',
      });
    },
    undo: {
      // In a mount of our own it goes with the mount; in one of others, Vault's API has no way to take it away.
      exists: ({ found, mount }) => found !== undefined && !isOurMount(mount),
      made: () => false,
      remove: async () => undefined,
    },
  };
}

/** The address of the API server as Vault sees it. */
export const apiServerOf = ({ kubernetesHost }: MeshCluster, { server }: Pick<KubeApi, 'server'>): string =>
  kubernetesHost ?? server;

function parseConfig(data: unknown): AuthConfig | undefined {
  if (!isRecord(data) || typeof data.kubernetes_host !== 'string') return undefined;
  return {
    host: data.kubernetes_host,
    authority: String(data.kubernetes_ca_cert ?? ''),
    storesReviewer: data.token_reviewer_jwt_set === true,
    localToken: data.disable_local_ca_jwt !== true,
  };
}

function differences(wanted: AuthConfig, found: AuthConfig): string[] {
  return [
    ...(found.host === wanted.host ? [] : [`- ${found.host}`, `+ ${wanted.host}`]),
    ...(sameAuthorities(found.authority, wanted.authority) ? [] : ['~ authority of the api server']),
    ...(found.storesReviewer === wanted.storesReviewer
      ? []
      : [`${wanted.storesReviewer ? '+' : '-'} stored reviewer token`]),
    ...(found.localToken ? ['- falls back to the token of the pod that vault runs in'] : []),
  ];
}

/** Same certificates in the same order, whatever the white space between them. */
function sameAuthorities(a: string, b: string): boolean {
  const prints = (pem: string) =>
    parseCertificates(pem)
      .map((c) => c.fingerprint)
      .join();
  try {
    return prints(a) === prints(b);
  } catch {
    return false; // what is stored does not parse: it has to be written anew
  }
}

/** While the mount is not there yet, what is in it is not either; any other error goes on. */
export function missingMount(error: unknown): undefined {
  if (error instanceof MeshrootError && error.status === 404) return undefined;
  throw error;
}
