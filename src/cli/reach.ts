import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { VaultClient } from '../client/vault-client.ts';
import type { KubeApi } from '../kube/api.ts';
import { systemClock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import type { Reach } from '../mesh/resource.ts';
import type { Mesh } from '../mesh/schema.ts';
import type { Io } from './io.ts';

/** The Vaults and the clusters that `mesh` names, with the credentials of whoever runs the command. */
export async function reachOf(mesh: Mesh, env: Io['env']): Promise<Reach> {
  const connections = new Map<string, Promise<KubeApi>>();
  const vault = await clientOf(mesh.vault, await vaultToken(env));
  const own = new Map<string, VaultClient>();
  for (const { name, vault: other } of mesh.clusters) {
    if (other === undefined) continue;
    const place = { ...mesh.vault, ...other, address: other.address ?? mesh.vault.address };
    own.set(name, await clientOf(place, await vaultToken(env, other.tokenEnv)));
  }
  return {
    clock: systemClock,
    vault,
    vaultOf: (cluster) => own.get(cluster) ?? vault,
    kube: (cluster) => {
      const known = connections.get(cluster) ?? connectTo(mesh, cluster, env);
      connections.set(cluster, known);
      return known;
    },
  };
}

async function clientOf(
  { address, namespace, caCert }: Mesh['vault'],
  token: Secret<string>,
): Promise<VaultClient> {
  return new VaultClient({
    address,
    token,
    ...(namespace === undefined ? {} : { namespace }),
    ...(caCert === undefined ? {} : { caCert: await readFile(caCert, 'utf8') }),
  });
}

/**
 * As Vault's own command line finds it: VAULT_TOKEN, else the file ~/.vault-token.
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
  const file = join(env.HOME ?? homedir(), '.vault-token');
  const token = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
  if (token !== '') return new Secret(token);
  throw new MeshrootError(
    'no-vault-token',
    'there is no Vault token: VAULT_TOKEN is empty and ~/.vault-token is not there',
    {
      hint: 'of a running system: . .meshroot/env.sh      elsewhere: vault login',
    },
  );
}

async function connectTo(mesh: Mesh, name: string, env: Io['env']): Promise<KubeApi> {
  const cluster = mesh.clusters.find((c) => c.name === name);
  const { connect } = await import('../kube/connect.ts');
  return connect({
    env,
    ...(cluster?.kubeconfig === undefined ? {} : { kubeconfig: cluster.kubeconfig }),
    ...(cluster?.context === undefined ? {} : { context: cluster.context }),
  });
}
