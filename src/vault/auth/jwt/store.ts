import type { RoleTokens } from '../../core/role-fields.ts';
import type { StorageView } from '../../core/storage.ts';
import { namedEntries } from '../named-entries.ts';

/** An address of keys, and the only roots to trust there (PEM; empty for the system's). */
export interface JwksPair {
  readonly url: string;
  readonly caPem: string;
}

export interface JwtConfig {
  readonly discoveryUrl: string;
  readonly discoveryCaPem: string;
  readonly jwksUrl: string;
  readonly jwksCaPem: string;
  /** Several providers at once. */
  readonly jwksPairs?: readonly JwksPair[];
  readonly publicKeys: readonly string[];
  readonly algorithms: readonly string[];
  readonly boundIssuer: string;
  readonly defaultRole: string;
}

/** Leeways in seconds: 0 = the default, negative = none. */
export interface JwtRole {
  readonly type: 'jwt' | 'oidc';
  readonly userClaim: string;
  readonly userClaimPointer: boolean;
  readonly groupsClaim: string;
  readonly boundAudiences: readonly string[];
  readonly boundSubject: string;
  readonly boundClaims: Readonly<Record<string, unknown>> | null;
  readonly boundClaimsType: 'string' | 'glob';
  readonly claimMappings: Readonly<Record<string, string>> | null;
  readonly redirectUris: readonly string[];
  readonly expirationLeeway: number;
  readonly notBeforeLeeway: number;
  readonly clockSkewLeeway: number;
  readonly tokens: RoleTokens;
}

export const readConfig = (store: StorageView): JwtConfig | undefined => store.get<JwtConfig>('config');
export const putConfig = (store: StorageView, config: JwtConfig): void => store.put('config', config);
export const roles = namedEntries<JwtRole>('role/', (name) => name);
