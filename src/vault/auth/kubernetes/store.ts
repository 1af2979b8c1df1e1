import type { RoleTokens } from '../../core/role-fields.ts';
import type { StorageView } from '../../core/storage.ts';
import { namedEntries } from '../named-entries.ts';

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

export const roles = namedEntries<KubernetesRole>('role/');
