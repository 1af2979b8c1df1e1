import type { RoleTokens } from '../../core/role-fields.ts';
import type { StorageView } from '../../core/storage.ts';
import { namedEntries } from '../named-entries.ts';

/** Names are globs; null or empty = any. */
export interface CertRole {
  readonly name: string;
  /** PEM: a CA (its clients are trusted) or one client's own certificate. */
  readonly certificate: string;
  readonly displayName: string;
  readonly names: readonly string[] | null;
  readonly commonNames: readonly string[] | null;
  readonly dnsSans: readonly string[] | null;
  readonly emailSans: readonly string[] | null;
  readonly uriSans: readonly string[] | null;
  readonly organizationalUnits: readonly string[] | null;
  /** `OID:GLOB`. */
  readonly requiredExtensions?: readonly string[] | null;
  /** Their texts become metadata of the token. */
  readonly metadataExtensions?: readonly string[] | null;
  readonly tokens: RoleTokens;
}

export interface CertConfig {
  /** A renewal need not show the certificate of the login. */
  readonly disableBinding: boolean;
  readonly enableIdentityAliasMetadata: boolean;
}

const defaults: CertConfig = { disableBinding: false, enableIdentityAliasMetadata: false };

export const readConfig = (store: StorageView): CertConfig => store.get<CertConfig>('config') ?? defaults;
export const putConfig = (store: StorageView, config: CertConfig): void => store.put('config', config);

export const roles = namedEntries<CertRole>('cert/');
