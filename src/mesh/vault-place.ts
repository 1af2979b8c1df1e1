import type { Mesh, MeshCluster } from './schema.ts';

/** Where a cluster's part of Vault is: its own words first, then those of the mesh. */
export type VaultPlace = Mesh['vault'] & { readonly tokenEnv?: string | undefined };

export function vaultPlace(
  mesh: Pick<Mesh, 'vault'>,
  { vault: own }: Pick<MeshCluster, 'vault'>,
): VaultPlace {
  return { ...mesh.vault, ...own, address: own?.address ?? mesh.vault.address };
}

/** Under which address the cluster's pods reach it. */
export function podAddress(mesh: Pick<Mesh, 'vault'>, { vault: own }: Pick<MeshCluster, 'vault'>): string {
  return own?.podAddress ?? own?.address ?? mesh.vault.podAddress ?? mesh.vault.address;
}
