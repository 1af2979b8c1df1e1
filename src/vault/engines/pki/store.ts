import type { StorageView } from '../../core/storage.ts';
import type { Role } from './role.ts';

export type LeafNotAfter = 'err' | 'truncate' | 'permit';

/** URLs that are written into what is issued. */
export interface AccessUrls {
  readonly issuing_certificates: readonly string[];
  readonly crl_distribution_points: readonly string[];
  readonly delta_crl_distribution_points: readonly string[];
  readonly ocsp_servers: readonly string[];
  readonly enable_templating: boolean;
}

export const noUrls: AccessUrls = {
  issuing_certificates: [],
  crl_distribution_points: [],
  delta_crl_distribution_points: [],
  ocsp_servers: [],
  enable_templating: false,
};

/** A CA certificate at rest, behind the barrier. Its key is a {@link StoredKey} of its own. */
export interface StoredIssuer {
  readonly id: string;
  readonly name: string;
  /** Empty without a key: then it can be shown, but not sign. */
  readonly keyId: string;
  /** PEM with its newline. */
  readonly certificate: string;
  readonly serial: string;
  readonly leafNotAfter: LeafNotAfter;
  /** Sorted names. */
  readonly usage: readonly string[];
  /** Ids, itself first; empty = found by signatures. */
  readonly manualChain: readonly string[];
  /** PEMs from itself up, as far as the mount knows. */
  readonly caChain: readonly string[];
  readonly revocationAlgorithm: string;
  /** Milliseconds; 0 = not revoked. */
  readonly revoked: number;
  readonly urls: AccessUrls | null;
}

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  /** PKCS#8 PEM; only the call that makes an exported key gives it away. */
  readonly privateKey: string;
}

export interface Revocation {
  /** Milliseconds. */
  readonly time: number;
  /** Id of the issuer, or empty when none of the mount signed it. */
  readonly issuer: string;
  readonly notAfter: number;
}

export interface CrlConfig {
  readonly expiry: string;
  readonly disable: boolean;
  readonly ocsp_disable: boolean;
  readonly ocsp_expiry: string;
  readonly auto_rebuild: boolean;
  readonly auto_rebuild_grace_period: string;
  readonly enable_delta: boolean;
  readonly delta_rebuild_interval: string;
  readonly allow_expired_cert_revocation: boolean;
}

export const defaultCrlConfig: CrlConfig = {
  expiry: '72h',
  disable: false,
  ocsp_disable: false,
  ocsp_expiry: '12h',
  auto_rebuild: false,
  auto_rebuild_grace_period: '12h',
  enable_delta: false,
  delta_rebuild_interval: '15m',
  allow_expired_cert_revocation: false,
};

interface IssuersConfig {
  readonly default: string;
  readonly default_follows_latest_issuer: boolean;
}

const noIssuers: IssuersConfig = { default: '', default_follows_latest_issuer: false };

export const readIssuersConfig = (store: StorageView): IssuersConfig =>
  store.get<IssuersConfig>('config/issuers') ?? noIssuers;
export const putIssuersConfig = (store: StorageView, config: IssuersConfig): void =>
  store.put('config/issuers', config);
export const readDefaultKeyId = (store: StorageView): string => store.get<string>('config/keys') ?? '';
export const putDefaultKeyId = (store: StorageView, id: string): void => store.put('config/keys', id);
export const readUrls = (store: StorageView): AccessUrls => store.get<AccessUrls>('config/urls') ?? noUrls;
export const putUrls = (store: StorageView, urls: AccessUrls): void => store.put('config/urls', urls);
export const readCrlConfig = (store: StorageView): CrlConfig =>
  store.get<CrlConfig>('config/crl') ?? defaultCrlConfig;
export const putCrlConfig = (store: StorageView, config: CrlConfig): void => store.put('config/crl', config);

export interface ClusterConfig {
  readonly path: string;
  readonly aia_path: string;
}
export const readCluster = (store: StorageView): ClusterConfig =>
  store.get<ClusterConfig>('config/cluster') ?? { path: '', aia_path: '' };
export const putCluster = (store: StorageView, config: ClusterConfig): void =>
  store.put('config/cluster', config);

export const readRole = (store: StorageView, name: string): Role | undefined =>
  store.get<Role>(`role/${name}`);
export const putRole = (store: StorageView, name: string, role: Role): void =>
  store.put(`role/${name}`, role);

export const readIssuer = (store: StorageView, id: string): StoredIssuer | undefined =>
  store.get<StoredIssuer>(`issuer/${id}`);
export const readKey = (store: StorageView, id: string): StoredKey | undefined =>
  store.get<StoredKey>(`key/${id}`);
export const allIssuers = (store: StorageView): StoredIssuer[] =>
  store.list('issuer/').flatMap((id) => readIssuer(store, id) ?? []);
export const allKeys = (store: StorageView): StoredKey[] =>
  store.list('key/').flatMap((id) => readKey(store, id) ?? []);

/** Issued certificates (PEM) by lower-case hex serial. */
export const readCertificate = (store: StorageView, serial: string): string | undefined =>
  store.get<string>(`certs/${serial}`);
export const putCertificate = (store: StorageView, serial: string, pem: string): void =>
  store.put(`certs/${serial}`, pem);
export const readRevocation = (store: StorageView, serial: string): Revocation | undefined =>
  store.get<Revocation>(`revoked/${serial}`);
export const putRevocation = (store: StorageView, serial: string, revocation: Revocation): void =>
  store.put(`revoked/${serial}`, revocation);
