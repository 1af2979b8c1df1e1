import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { VaultClient } from '../client/vault-client.ts';
import type { KubeApi } from '../kube/api.ts';
import type { KubeconfigCache } from '../kube/kubeconfig.ts';
import { systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import { Secret } from '../lib/secret.ts';
import { defaultConcurrency } from '../mesh/plan.ts';
import type { Reach } from '../mesh/resource.ts';
import type { Mesh } from '../mesh/schema.ts';
import { type VaultPlace, vaultPlace } from '../mesh/vault-place.ts';
import type { Io } from './io.ts';

export interface Pace {
  /** Most requests a second to each Vault. */
  readonly vaultRate?: number | undefined;
}

/** The Vaults and the clusters that `mesh` names, with the credentials of whoever runs the command. */
export async function reachOf(mesh: Mesh, env: Io['env'], pace: Pace = {}): Promise<Reach> {
  const connections = new Map<string, Promise<KubeApi>>();
  const kubeconfigs: KubeconfigCache = new Map();
  const vault = await clientOf(mesh.vault, await vaultToken(env), pace);
  const own = await ownVaults(mesh, env, pace);
  return {
    clock: systemClock,
    vault,
    vaultOf: (cluster) => own.get(cluster) ?? vault,
    kube: (cluster) => {
      const known = connections.get(cluster) ?? connectTo(mesh, cluster, env, kubeconfigs);
      connections.set(cluster, known);
      return known;
    },
    release: (cluster) => {
      void connections.get(cluster)?.then(
        (kube) => kube.close(),
        () => {}, // it was never open
      );
      connections.delete(cluster);
    },
  };
}

/** By cluster; clusters that say the same share one client, its connections and its pace. */
async function ownVaults(mesh: Mesh, env: Io['env'], pace: Pace): Promise<Map<string, VaultClient>> {
  const byPlace = new Map<string, VaultClient>();
  const own = new Map<string, VaultClient>();
  for (const cluster of mesh.clusters) {
    if (cluster.vault === undefined) continue;
    const place = vaultPlace(mesh, cluster);
    const key = JSON.stringify(place);
    const client = byPlace.get(key) ?? (await clientOf(place, await vaultToken(env, place.tokenEnv), pace));
    byPlace.set(key, client);
    own.set(cluster.name, client);
  }
  return own;
}

/** Enough for a Vault far away; each costs it a handshake. */
const connectionsPerVault = 32;

async function clientOf(
  place: VaultPlace,
  token: Secret<string>,
  { vaultRate: requestsPerSecond }: Pace,
): Promise<VaultClient> {
  const { address, namespace, serverName } = place;
  const [caCert, clientCert, clientKey] = await Promise.all(
    (['caCert', 'clientCert', 'clientKey'] as const).map((field) => pemFile(place, field)),
  );
  return new VaultClient({
    address,
    token,
    connections: connectionsPerVault,
    requestsPerSecond,
    ...(namespace !== undefined && { namespace }),
    ...(serverName !== undefined && { serverName }),
    ...(caCert !== undefined && { caCert }),
    ...(clientCert !== undefined && { clientCert }),
    ...(clientKey !== undefined && { clientKey: new Secret(clientKey) }),
  });
}

async function pemFile(
  place: VaultPlace,
  field: 'caCert' | 'clientCert' | 'clientKey',
): Promise<string | undefined> {
  const path = place[field];
  if (path === undefined) return undefined;
  const file = await readLimitedFile(path);
  if (file !== undefined) return file.bytes.toString('utf8');
  throw new MeshrootError('no-vault-tls', `${path} is not there`, {
    hint: `vault.${field} in mesh.yaml names a PEM file; a relative one counts from mesh.yaml`,
  });
}

/**
 * As Vault's own command line finds it: VAULT_TOKEN, else the file ~/.vault-token; or the file that VAULT_TOKEN_FILE
 * names, as an agent's sink.
 * @throws MeshrootError `no-vault-token`
 */
export async function vaultToken(env: Io['env'], variable = 'VAULT_TOKEN'): Promise<Secret<string>> {
  const given = env[variable];
  if (given !== undefined && given !== '') return new Secret(given);
  if (variable !== 'VAULT_TOKEN') {
    throw new MeshrootError(
      'no-vault-token',
      `${variable} is empty, and mesh.yaml takes a Vault token from it`,
      {
        hint: 'set it, or leave tokenEnv out to use VAULT_TOKEN',
      },
    );
  }
  const file = env.VAULT_TOKEN_FILE || join(env.HOME ?? homedir(), '.vault-token');
  const token = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (token !== '') return new Secret(token);
  throw new MeshrootError(
    'no-vault-token',
    `there is no Vault token: VAULT_TOKEN is empty, and so is ${env.VAULT_TOKEN_FILE || '~/.vault-token'}, or not there`,
    {
      hint: 'of a running system: . .meshroot/env.sh      elsewhere: vault login',
    },
  );
}

/**
 * A handshake is what a question costs most. Of few clusters each gets two connections, which answer a plan as fast as
 * twenty would; of many, one, as others are asked meanwhile.
 */
const connectionsPerCluster = ({ clusters }: Mesh): number => (clusters.length > defaultConcurrency ? 1 : 2);

async function connectTo(
  mesh: Mesh,
  name: string,
  env: Io['env'],
  kubeconfigs: KubeconfigCache,
): Promise<KubeApi> {
  const cluster = mesh.clusters.find((c) => c.name === name);
  const { connect } = await import('../kube/connect.ts');
  return connect({
    env,
    kubeconfigs,
    connections: connectionsPerCluster(mesh),
    ...(cluster?.kubeconfig === undefined ? {} : { kubeconfig: cluster.kubeconfig }),
    ...(cluster?.context === undefined ? {} : { context: cluster.context }),
  });
}
