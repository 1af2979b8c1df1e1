import type { Certificate } from '../../../x509/certificate.ts';
import type { Crl } from '../../../x509/crl.ts';
import type { StorageView } from '../../core/storage.ts';

/** A revocation list that the operator gave or named. */
export interface StoredCrl {
  /** Base64 of the issuer's encoded name. */
  readonly issuer: string;
  /** Lower-case hex. */
  readonly serials: readonly string[];
  /** Where it comes from, if it was not given itself. */
  readonly source?: CrlSource;
}

export interface CrlSource {
  readonly url: string;
  /** Milliseconds; undefined when the list does not say until when it is good. */
  readonly validUntil: number | undefined;
}

const pathOf = (name: string): string => `crls/${name.toLowerCase()}`;

export const crlNames = (store: StorageView): string[] => store.list('crls/');
export const readCrl = (store: StorageView, name: string): StoredCrl | undefined =>
  store.get<StoredCrl>(pathOf(name));
export const deleteCrl = (store: StorageView, name: string): void => store.delete(pathOf(name));

/** @param url where it was fetched, if it was */
export function putCrl(
  store: StorageView,
  name: string,
  { issuerDer, revoked, nextUpdate }: Crl,
  url?: string,
): void {
  const stored: StoredCrl = {
    issuer: issuerDer.toString('base64'),
    serials: revoked.map(({ serial }) => serial),
    ...(url === undefined ? {} : { source: { url, validUntil: nextUpdate } }),
  };
  store.put(pathOf(name), stored);
}

/** Whether a list of the mount revokes one of the certificates; a serial number counts together with its issuer. */
export function isRevoked(store: StorageView, chain: readonly Certificate[]): boolean {
  const lists = crlNames(store).flatMap((name) => readCrl(store, name) ?? []);
  return chain.some(({ serial, issuerDer }) => {
    const issuer = issuerDer.toString('base64');
    return lists.some((list) => list.issuer === issuer && list.serials.includes(serial));
  });
}
