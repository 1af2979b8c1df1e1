import type { RoleTokens } from '../../core/role-fields.ts';
import type { StorageView } from '../../core/storage.ts';

export interface KubernetesConfig {
  readonly host: string;
  readonly caCert: string;
  /** Never shown. */
  readonly reviewerJwt: string;
  readonly pemKeys: readonly string[];
  readonly issuer: string;
  readonly disableIssuerValidation: boolean;
  readonly disableLocalCaJwt: boolean;
  /** Ours: signatures are checked with the keys that the API server publishes, and no TokenReview is made. */
  readonly localJwks?: boolean;
}

export interface KubernetesRole {
  readonly names: readonly string[];
  readonly namespaces: readonly string[];
  /** JSON or YAML of a label selector; empty = none. */
  readonly namespaceSelector?: string;
  readonly audience: string;
  readonly aliasNameSource: string;
  readonly tokens: RoleTokens;
}

export const readConfig = (store: StorageView): KubernetesConfig | undefined =>
  store.get<KubernetesConfig>('config');
export const putConfig = (store: StorageView, config: KubernetesConfig): void => store.put('config', config);

const rolePath = (name: string): string => `role/${name.toLowerCase()}`;

export const readRole = (store: StorageView, name: string): KubernetesRole | undefined =>
  store.get<KubernetesRole>(rolePath(name));
export const putRole = (store: StorageView, name: string, role: KubernetesRole): void =>
  store.put(rolePath(name), role);
export const deleteRole = (store: StorageView, name: string): void => store.delete(rolePath(name));
export const listRoles = (store: StorageView): string[] => store.list('role/');
