import { MeshrootError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { parseCertificates } from '../../x509/certificate.ts';
import { clusterNames } from '../names.ts';
import { decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';

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
}

/**
 * Where Vault asks "whose token is this?": the cluster's API server and its authority. No reviewer token is stored:
 * a login carries its own, and istiod's service account may ask for a review (system:auth-delegator).
 */
export function authConfigResource(cluster: MeshCluster): Resource<Observed> {
  const path = `auth/${clusterNames(cluster).authMount}/config`;
  return {
    group: cluster.name,
    label: `config of auth/${clusterNames(cluster).authMount}`,
    summary: 'the api server and its authority, no stored reviewer token',
    observe: async (reach) => {
      const kube = await reach.kube(cluster.name);
      const authority = (await kube.authority()) ?? '';
      const wanted = { host: kube.server, authority, storesReviewer: false, localToken: false };
      return { wanted, found: parseConfig((await reach.vault.read(path).catch(missingMount))?.data) };
    },
    decide: ({ wanted, found }) =>
      decideByLines(found !== undefined, found === undefined ? [] : differences(wanted, found)),
    write: async ({ vault }, { wanted }) => {
      await vault.write(path, {
        kubernetes_host: wanted.host,
        kubernetes_ca_cert: wanted.authority,
        disable_local_ca_jwt: true,
        token_reviewer_jwt: '',
      });
    },
  };
}

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
    ...(found.storesReviewer ? ['- stored reviewer token'] : []),
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
