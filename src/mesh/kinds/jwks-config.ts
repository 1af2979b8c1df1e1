import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { KubeApi } from '../../kube/api.ts';
import { MeshrootError } from '../../lib/errors.ts';
import { isRecord } from '../../lib/records.ts';
import { clusterNames } from '../names.ts';
import { isOurMount, unlessForeign } from '../ownership.ts';
import { clusterVault, decideByLines, type Resource } from '../resource.ts';
import type { MeshCluster } from '../schema.ts';
import { missingMount } from './auth-config.ts';
import { type MountRow, mountRow } from './mounts.ts';

interface Facts {
  readonly issuer: string;
  /** PEM, in the order of their text. */
  readonly keys: readonly string[];
}

interface Observed {
  readonly wanted: Facts;
  readonly found: Facts | undefined;
  readonly mount: MountRow | undefined;
}

/**
 * A login without any question to the API server: Vault holds the public keys that sign the cluster's service account
 * tokens. When the cluster changes its keys, a plan shows it.
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export function jwksConfigResource(cluster: MeshCluster): Resource<Observed> {
  const { authMount } = clusterNames(cluster);
  const path = `auth/${authMount}/config`;
  return {
    group: cluster.name,
    label: `config of auth/${authMount}`,
    summary: "the cluster's public keys, no question to its api server",
    observe: async (reach) => {
      const vault = clusterVault(reach, cluster.name);
      const wanted = await publishedBy(cluster.name, await reach.kube(cluster.name));
      const mount = await mountRow(vault, 'sys/auth', authMount);
      const found = mount && factsOf((await vault.read(path).catch(missingMount))?.data);
      return { wanted, found, mount };
    },
    decide: ({ wanted, found, mount }, { adopt }) => {
      const lines = found === undefined ? [] : differences(found, wanted);
      const decision = decideByLines(found !== undefined, lines);
      return unlessForeign(decision, isOurMount(mount), `config of auth/${authMount}`, adopt);
    },
    write: async (reach, { wanted }) => {
      await clusterVault(reach, cluster.name).write(path, {
        jwt_validation_pubkeys: wanted.keys,
        bound_issuer: wanted.issuer,
      });
    },
  };
}

/** Issuer and keys, as the API server tells them to whoever may ask it. @throws MeshrootError `no-cluster-keys` */
async function publishedBy(cluster: string, kube: KubeApi): Promise<Facts> {
  const discovery = await kube.request('GET', '/.well-known/openid-configuration');
  const set = await kube.request('GET', '/openid/v1/jwks');
  const keys = isRecord(set) && Array.isArray(set.keys) ? set.keys.filter(isRecord) : [];
  if (!isRecord(discovery) || typeof discovery.issuer !== 'string' || keys.length === 0) {
    throw new MeshrootError('no-cluster-keys', `${cluster}: its API server publishes no issuer and keys`, {
      hint: 'reviewer: client asks the API server at each login instead',
      exit: 1,
    });
  }
  const pems = keys.map((key) => createPublicKey({ key: key as JsonWebKey, format: 'jwk' }));
  return {
    issuer: discovery.issuer,
    keys: pems.map((key) => key.export({ type: 'spki', format: 'pem' }).toString().trim()).sort(),
  };
}

function factsOf(data: unknown): Facts | undefined {
  if (!isRecord(data)) return undefined;
  const keys = Array.isArray(data.jwt_validation_pubkeys) ? data.jwt_validation_pubkeys.map(String) : [];
  if (keys.length === 0 && String(data.bound_issuer ?? '') === '') return undefined; // as mounted
  return { issuer: String(data.bound_issuer ?? ''), keys: keys.map((pem) => pem.trim()).sort() };
}

function differences(found: Facts, wanted: Facts): string[] {
  return [
    ...(found.issuer === wanted.issuer
      ? []
      : [`- issuer ${found.issuer || '(any)'}`, `+ issuer ${wanted.issuer}`]),
    ...(found.keys.join('\n') === wanted.keys.join('\n') ? [] : ['~ public keys of the cluster']),
  ];
}
