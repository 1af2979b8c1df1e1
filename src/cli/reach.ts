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

/** The Vault and the clusters that `mesh` names, with the credentials of whoever runs the command. */
export async function reachOf(mesh: Mesh, env: Io['env']): Promise<Reach> {
  const connections = new Map<string, Promise<KubeApi>>();
  const caCert = mesh.vault.caCert === undefined ? undefined : await readFile(mesh.vault.caCert, 'utf8');
  return {
    clock: systemClock,
    vault: new VaultClient({
      address: mesh.vault.address,
      token: await vaultToken(env),
      ...(caCert === undefined ? {} : { caCert }),
    }),
    kube: (cluster) => {
      const known = connections.get(cluster) ?? connectTo(mesh, cluster, env);
      connections.set(cluster, known);
      return known;
    },
  };
}

/**
 * As Vault's own command line finds it: VAULT_TOKEN, else the file ~/.vault-token.
 * @throws MeshrootError `no-vault-token`
 */
export async function vaultToken(env: Io['env']): Promise<Secret<string>> {
  if (env.VAULT_TOKEN !== undefined && env.VAULT_TOKEN !== '') return new Secret(env.VAULT_TOKEN);
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
