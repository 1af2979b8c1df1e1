import { stateMount } from '../rotation/state-mount.ts';
import { missingMount } from './kinds/auth-config.ts';
import type { Reach } from './resource.ts';

/**
 * What meshroot made inside a mount of others, where the thing itself has no room for a mark: noted in meshroot's own
 * state before it is made, so that `destroy` knows it again.
 * @param path of the thing in Vault, e.g. `auth/kubernetes-eu/role/istiod`
 */
export async function wasMade(reach: Reach, cluster: string, path: string): Promise<boolean> {
  const record = await reach.vault.read(`${stateMount}/data/made/${cluster}/${path}`).catch(missingMount);
  return record?.data?.data !== undefined && record.data.data !== null;
}

export async function noteMade(reach: Reach, cluster: string, path: string): Promise<void> {
  await reach.vault.write(`${stateMount}/data/made/${cluster}/${path}`, { data: { made: true } });
}

/** Removes the thing, then the note. */
export async function removeMade(
  reach: Reach,
  vault: Reach['vault'],
  cluster: string,
  path: string,
): Promise<undefined> {
  await vault.delete(path);
  await reach.vault.delete(`${stateMount}/metadata/made/${cluster}/${path}`);
  return undefined;
}
