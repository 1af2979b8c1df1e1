import { parseCertificate } from '../../../x509/certificate.ts';
import type { Issuer } from '../../../x509/issuer.ts';
import { parsePrivateKey } from '../../../x509/keys.ts';
import type { StorageView } from '../../core/storage.ts';

/** An issuer at rest, behind the barrier. */
export interface StoredIssuer {
  readonly id: string;
  readonly name: string;
  readonly keyId: string;
  readonly keyName: string;
  /** PEM. */
  readonly certificate: string;
  /** PKCS#8 PEM; there is no call that gives it back. */
  readonly privateKey: string;
}

export interface UrlConfig {
  readonly issuing_certificates: readonly string[];
  readonly crl_distribution_points: readonly string[];
  readonly ocsp_servers: readonly string[];
  readonly enable_templating: boolean;
}

const noUrls: UrlConfig = {
  issuing_certificates: [],
  crl_distribution_points: [],
  ocsp_servers: [],
  enable_templating: false,
};

export const readUrls = (store: StorageView): UrlConfig => store.get<UrlConfig>('config/urls') ?? noUrls;
export const putUrls = (store: StorageView, urls: UrlConfig): void => store.put('config/urls', urls);

export const readDefaultId = (store: StorageView): string => store.get<string>('config/default-issuer') ?? '';
export const putDefaultId = (store: StorageView, id: string): void => store.put('config/default-issuer', id);

export const listIssuers = (store: StorageView): string[] => store.list('issuer/');

export function putIssuer(store: StorageView, issuer: StoredIssuer): void {
  store.put(`issuer/${issuer.id}`, issuer);
}

export function deleteIssuers(store: StorageView): void {
  for (const id of listIssuers(store)) store.delete(`issuer/${id}`);
  store.delete('config/default-issuer');
}

/** By id, name or `default`. */
export function findIssuer(store: StorageView, reference: string): StoredIssuer | undefined {
  const id = reference === 'default' || reference === '' ? readDefaultId(store) : reference;
  const byId = id === '' ? undefined : store.get<StoredIssuer>(`issuer/${id}`);
  if (byId !== undefined) return byId;
  return listIssuers(store)
    .map((known) => store.get<StoredIssuer>(`issuer/${known}`))
    .find((issuer) => issuer !== undefined && issuer.name !== '' && issuer.name === reference);
}

/** Parsed once per stored value. */
const opened = new WeakMap<StoredIssuer, Issuer>();

export function openIssuer(stored: StoredIssuer): Issuer {
  const known = opened.get(stored);
  if (known !== undefined) return known;
  const issuer: Issuer = {
    certificate: parseCertificate(stored.certificate),
    privateKey: parsePrivateKey(stored.privateKey).privateKey,
  };
  opened.set(stored, issuer);
  return issuer;
}

/** Issued certificates by lower-case hex serial. */
export const readCertificate = (store: StorageView, serial: string): string | undefined =>
  store.get<string>(`certs/${serial}`);
export const putCertificate = (store: StorageView, serial: string, pem: string): void =>
  store.put(`certs/${serial}`, pem);
export const listCertificates = (store: StorageView): string[] => store.list('certs/');
