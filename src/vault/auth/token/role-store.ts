import type { RoleTokens } from '../../core/role-fields.ts';
import type { StorageView } from '../../core/storage.ts';

export interface TokenRole {
  readonly name: string;
  readonly allowedPolicies: readonly string[];
  readonly allowedGlobs: readonly string[];
  readonly disallowedPolicies: readonly string[];
  readonly disallowedGlobs: readonly string[];
  readonly allowedEntityAliases: readonly string[] | null;
  readonly orphan: boolean;
  readonly renewable: boolean;
  readonly pathSuffix: string;
  /** `service`, `batch`, `default-service` or `default-batch`. */
  readonly type: string;
  readonly tokens: RoleTokens;
}

export const readTokenRole = (store: StorageView, name: string): TokenRole | undefined =>
  store.get<TokenRole>(`role/${name}`);
export const putTokenRole = (store: StorageView, role: TokenRole): void =>
  store.put(`role/${role.name}`, role);
export const deleteTokenRole = (store: StorageView, name: string): void => store.delete(`role/${name}`);
export const listTokenRoles = (store: StorageView): string[] => store.list('role/');
