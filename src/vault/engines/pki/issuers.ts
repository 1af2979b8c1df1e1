import type { KeyObject } from 'node:crypto';
import { perObject } from '../../../lib/per-object.ts';
import { type Certificate, isSelfSigned, isSignedBy, parseCertificate } from '../../../x509/certificate.ts';
import { type PreparedIssuer, prepareIssuer } from '../../../x509/issuer.ts';
import {
  type KeyPair,
  keyMatches,
  parsePrivateKey,
  privateKeyPem,
  samePublicKey,
} from '../../../x509/keys.ts';
import type { Context } from '../../core/backend.ts';
import { type Fields, textOf } from '../../core/fields.ts';
import { Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { StorageView } from '../../core/storage.ts';
import { uuidOf } from '../../core/uuid.ts';
import {
  allIssuers,
  allKeys,
  putDefaultKeyId,
  putIssuersConfig,
  readDefaultKeyId,
  readIssuer,
  readIssuersConfig,
  readKey,
  type StoredIssuer,
  type StoredKey,
} from './store.ts';

export const allUsages = ['crl-signing', 'issuing-certificates', 'ocsp-signing', 'read-only'] as const;
export type Usage = (typeof allUsages)[number];

/** By id, name or `default`. */
export function findIssuer(store: StorageView, reference: string): StoredIssuer | undefined {
  const id = reference === 'default' ? readIssuersConfig(store).default : reference;
  if (id === '') return undefined;
  const byId = readIssuer(store, id);
  if (byId !== undefined || reference === 'default') return byId;
  const named = store.get<string>(`issuer-name/${reference}`);
  return named === undefined ? undefined : readIssuer(store, named);
}

export const noIssuerText = (reference: string): string =>
  reference === 'default'
    ? 'no default issuer currently configured'
    : `unable to find PKI issuer for reference: ${reference}`;

/** @throws Refusal 500, as upstream answers it; the multi-error only where a token was asked for */
export function requireIssuer(store: StorageView, reference: string, isOpen = false): StoredIssuer {
  const found = findIssuer(store, reference);
  if (found !== undefined) return found;
  const text = noIssuerText(reference);
  throw isOpen ? new Refusal(500, 'pki-no-issuer', [text]) : refuseWrapped(text, 500, 'pki-no-issuer');
}

/** Certificates parsed once per stored value. */
export const certificateOf = perObject(
  ({ certificate }: StoredIssuer): Certificate => parseCertificate(certificate),
);

export const keyPairOf = perObject(({ privateKey }: StoredKey): KeyPair => parsePrivateKey(privateKey));

/** An issuer that can sign, with what each of its answers repeats. */
export interface Signer {
  readonly stored: StoredIssuer;
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
  readonly prepared: PreparedIssuer;
  readonly issuingCa: string;
  readonly chain: readonly string[];
  readonly chainWithoutRoots: readonly string[];
}

const signers = new WeakMap<StoredIssuer, Signer>();

/** @throws Refusal 500 in upstream's words: no such issuer, not for this use, no key */
export function requireSigner(store: StorageView, reference: string, usage: Usage): Signer {
  const stored = findIssuer(store, reference);
  if (stored === undefined) throw cannotFetch(noIssuerText(reference));
  if (!stored.usage.includes(usage)) {
    const text = `error fetching CA certificate: ${usageText(stored, usage)}`;
    throw refuseWrapped(text, 500, 'pki-issuer-usage');
  }
  return signers.get(stored) ?? openSigner(store, stored);
}

/** That an issuer is not for this. */
export function usageText({ id, name, usage: usages }: StoredIssuer, usage: Usage): string {
  const named = name === '' ? '' : ` / name:${name}`;
  const wanted = `requested usage ${usage} for issuer [id:${id}${named}] but only had usage ${usages.join(',')}`;
  return `error while attempting to use issuer ${id}: ${wanted}`;
}

const cannotFetch = (why: string): Refusal =>
  refuseWrapped(`could not fetch the CA certificate (was one set?): ${why}`, 500, 'pki-no-issuer');

function openSigner(store: StorageView, stored: StoredIssuer): Signer {
  const key = stored.keyId === '' ? undefined : readKey(store, stored.keyId);
  if (key === undefined) {
    throw cannotFetch(
      `unable to fetch corresponding key for issuer ${stored.id}; unable to use this issuer for signing`,
    );
  }
  const certificate = certificateOf(stored);
  const { privateKey } = keyPairOf(key);
  const chain = stored.caChain.map((pem) => pem.trimEnd());
  const signer: Signer = {
    stored,
    certificate,
    privateKey,
    prepared: prepareIssuer({ certificate, privateKey }),
    issuingCa: stored.certificate.trimEnd(),
    chain,
    chainWithoutRoots: chain.filter((pem) => !isSelfSigned(parseCertificate(pem))),
  };
  signers.set(stored, signer);
  return signer;
}

/** The name for a new issuer, or ``. @throws Refusal 400 */
export function newIssuerName(store: StorageView, fields: Fields, own = ''): string {
  if (!('issuer_name' in fields)) return '';
  const name = textOf(fields, 'issuer_name').trim();
  if (name === '') throw refuse('expected non-empty issuer name');
  if (name.toLowerCase() === 'default')
    throw refuse("reserved keyword 'default' can not be used as issuer name");
  if (!isName(name)) throw refuse('issuer name contained invalid characters');
  const holder = findIssuer(store, name);
  if (holder !== undefined && holder.id !== own) throw refuse('issuer name already in use');
  return name;
}

/** The name for a new key, or ``. @throws Refusal 400 */
export function newKeyName(store: StorageView, fields: Fields): string {
  if (!('key_name' in fields)) return '';
  const name = textOf(fields, 'key_name').trim();
  if (name.toLowerCase() === 'default')
    throw refuse("reserved keyword 'default' can not be used as key name");
  if (!isName(name)) throw refuse('key name contained invalid characters');
  if (findKey(store, name) !== undefined) throw refuse('key name already in use');
  return name;
}

export const isName = (text: string): boolean => /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(text);

/** By id, name or `default`. */
export function findKey(store: StorageView, reference: string): StoredKey | undefined {
  const id = reference === 'default' ? readDefaultKeyId(store) : reference;
  if (id === '') return undefined;
  const byId = readKey(store, id);
  return byId ?? allKeys(store).find(({ name }) => name !== '' && name === reference);
}

export const noKeyText = (reference: string): string =>
  reference === 'default'
    ? 'no default key currently configured'
    : `unable to find PKI key for reference: ${reference}`;

/** Keeps a key, or finds the one that is there already; issuers that lacked it get it. */
export function importKey(
  { store, random }: Pick<Context, 'store' | 'random'>,
  pair: KeyPair,
  name: string,
): { readonly key: StoredKey; readonly isNew: boolean } {
  const known = allKeys(store).find((key) => samePublicKey(keyPairOf(key).publicKey, pair.publicKey));
  if (known !== undefined) return { key: known, isNew: false };
  const key: StoredKey = {
    id: uuidOf(random(16)),
    name,
    privateKey: privateKeyPem(pair.privateKey).reveal(),
  };
  store.put(`key/${key.id}`, key);
  for (const issuer of allIssuers(store)) {
    if (issuer.keyId !== '' || !keyMatches(certificateOf(issuer), pair.publicKey)) continue;
    putIssuer(store, { ...issuer, keyId: key.id });
    becomeDefault(store, issuer.id);
  }
  if (readDefaultKeyId(store) === '') putDefaultKeyId(store, key.id);
  return { key, isNew: true };
}

/** Keeps a CA certificate, or finds it. Its key, when the mount has it, is found by itself. */
export function importIssuer(
  { store, random }: Pick<Context, 'store' | 'random'>,
  certificate: Certificate,
  name: string,
): { readonly issuer: StoredIssuer; readonly isNew: boolean } {
  const known = allIssuers(store).find((issuer) => certificateOf(issuer).der.equals(certificate.der));
  if (known !== undefined) return { issuer: known, isNew: false };
  const key = allKeys(store).find((one) => keyMatches(certificate, keyPairOf(one).publicKey));
  const mayList = certificate.keyUsage?.has('cRLSign') !== false;
  const issuer: StoredIssuer = {
    id: uuidOf(random(16)),
    name,
    keyId: key?.id ?? '',
    certificate: certificate.pem,
    serial: certificate.serial,
    leafNotAfter: 'err',
    usage: allUsages.filter((usage) => usage !== 'crl-signing' || mayList),
    manualChain: [],
    caChain: [certificate.pem],
    revocationAlgorithm: '',
    revoked: 0,
    urls: null,
  };
  putIssuer(store, issuer);
  rebuildChains(store);
  if (key !== undefined) becomeDefault(store, issuer.id);
  return { issuer: readIssuer(store, issuer.id) ?? issuer, isNew: true };
}

function becomeDefault(store: StorageView, id: string): void {
  const config = readIssuersConfig(store);
  if (config.default === '') putIssuersConfig(store, { ...config, default: id });
}

export function putIssuer(store: StorageView, issuer: StoredIssuer): void {
  const before = readIssuer(store, issuer.id);
  if (before !== undefined && before.name !== '' && before.name !== issuer.name) {
    store.delete(`issuer-name/${before.name}`);
  }
  if (issuer.name !== '') store.put(`issuer-name/${issuer.name}`, issuer.id);
  store.put(`issuer/${issuer.id}`, issuer);
}

/** Whether it was the default, which is then gone. */
export function deleteIssuer(store: StorageView, issuer: StoredIssuer): boolean {
  store.delete(`issuer/${issuer.id}`);
  if (issuer.name !== '') store.delete(`issuer-name/${issuer.name}`);
  for (const name of ['full', 'delta']) store.delete(`crl/${issuer.id}/${name}`);
  const config = readIssuersConfig(store);
  if (config.default !== issuer.id) return false;
  putIssuersConfig(store, { ...config, default: '' });
  return true;
}

/** Finds everyone's way up anew: a parent may have come or gone. */
export function rebuildChains(store: StorageView): void {
  const issuers = allIssuers(store);
  for (const issuer of issuers) {
    const caChain = chainOf(issuer, issuers);
    if (caChain.join() !== issuer.caChain.join()) putIssuer(store, { ...issuer, caChain });
  }
}

function chainOf(issuer: StoredIssuer, issuers: readonly StoredIssuer[]): string[] {
  if (issuer.manualChain.length > 0) {
    return issuer.manualChain.flatMap((id) => issuers.find((one) => one.id === id)?.certificate ?? []);
  }
  const chain = [issuer];
  for (let current = issuer; ; ) {
    const child = certificateOf(current);
    const parent = issuers.find((one) => !chain.includes(one) && isSignedBy(child, certificateOf(one)));
    if (parent === undefined || isSelfSigned(child)) return chain.map(({ certificate }) => certificate);
    chain.push(parent);
    current = parent;
  }
}
