import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { perObject } from '../../../lib/per-object.ts';
import { generateKeyPair } from '../../../x509/keys.ts';
import { importSpki } from '../../../x509/spki.ts';
import type { Context } from '../../core/backend.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { StorageView } from '../../core/storage.ts';
import { requireType, type TransitType } from './key-types.ts';

/** One version of a key at rest. All texts are base64. */
export interface KeyVersion {
  /** The symmetric key, or PKCS#8 DER; empty when only the public key was brought in. */
  readonly secret: string;
  /** SubjectPublicKeyInfo, when there is no more. */
  readonly publicKey?: string;
  /** Certificates for this key, DER, leaf first. */
  readonly chain?: readonly string[];
  readonly hmac: string;
  /** Milliseconds. */
  readonly created: number;
}

export interface TransitKey {
  readonly name: string;
  readonly type: string;
  readonly versions: Readonly<Record<string, KeyVersion>>;
  readonly latest: number;
  readonly minDecryption: number;
  readonly minEncryption: number;
  readonly minAvailable: number;
  readonly deletionAllowed: boolean;
  readonly exportable: boolean;
  readonly allowPlaintextBackup: boolean;
  /** Seconds; 0 = never by itself. */
  readonly autoRotatePeriod: number;
  readonly imported: boolean;
  /** An imported key may be rotated to one made here only when its owner said so. */
  readonly allowRotation: boolean;
  /** Each call uses a key of its own, made of this one and the call's context. */
  readonly derived?: boolean;
  /** The same plaintext and context give the same ciphertext. */
  readonly convergent?: boolean;
  /** Kept, but not to be used until it is restored. */
  readonly softDeleted?: boolean;
}

/** Of the mount. */
export interface KeysConfig {
  readonly disable_upsert: boolean;
}

export const readKeysConfig = (store: StorageView): KeysConfig =>
  store.get<KeysConfig>('config/keys') ?? { disable_upsert: false };
export const putKeysConfig = (store: StorageView, config: KeysConfig): void =>
  store.put('config/keys', config);

export const readKey = (store: StorageView, name: string): TransitKey | undefined =>
  store.get<TransitKey>(`key/${name}`);
export const putKey = (store: StorageView, key: TransitKey): void => store.put(`key/${key.name}`, key);

/** A fresh version; RSA keys are made on the thread pool. */
export async function newVersion(
  { random, clock }: Pick<Context, 'random' | 'clock'>,
  type: TransitType,
  size = type.size,
): Promise<KeyVersion> {
  const secret =
    type.pair === undefined
      ? random(size)
      : (await generateKeyPair(type.pair)).privateKey.export({ type: 'pkcs8', format: 'der' });
  return versionOf({ random, clock }, secret);
}

export const versionOf = (
  { random, clock }: Pick<Context, 'random' | 'clock'>,
  secret: Buffer,
): KeyVersion => ({
  secret: secret.toString('base64'),
  hmac: random(32).toString('base64'),
  created: clock.now(),
});

export const newKey = (
  name: string,
  type: TransitType,
  first: KeyVersion,
  more: Partial<TransitKey> = {},
): TransitKey => ({
  name,
  type: type.name,
  versions: { 1: first },
  latest: 1,
  minDecryption: 1,
  minEncryption: 0,
  minAvailable: 0,
  deletionAllowed: false,
  exportable: false,
  allowPlaintextBackup: false,
  autoRotatePeriod: 0,
  imported: false,
  allowRotation: true,
  ...more,
});

export const withVersion = (key: TransitKey, version: KeyVersion): TransitKey => ({
  ...key,
  latest: key.latest + 1,
  versions: { ...key.versions, [key.latest + 1]: version },
});

/** Of an HMAC's key. */
export const hmacBytes = (key: TransitKey): number =>
  Buffer.from(key.versions[key.latest]?.secret ?? '', 'base64').length;

/** The key with a new version on top, as long as the last one was. */
export async function withNewVersion(
  context: Pick<Context, 'random' | 'clock'>,
  key: TransitKey,
): Promise<TransitKey> {
  const type = requireType(key.type);
  const size = type.kind === 'hmac' ? hmacBytes(key) : type.size;
  return withVersion(key, await newVersion(context, type, size));
}

/** The key, with a new version when its period is over. @throws Refusal 400 */
export async function currentKey(context: Context, name: string, missing: string): Promise<TransitKey> {
  const key = readKey(context.store, name);
  if (key === undefined) throw refuse(missing);
  const last = key.versions[key.latest];
  const isDue =
    key.autoRotatePeriod > 0 &&
    key.allowRotation &&
    last !== undefined &&
    context.clock.now() >= last.created + key.autoRotatePeriod * 1000;
  if (!isDue) return key;
  const rotated = await withNewVersion(context, key);
  putKey(context.store, rotated);
  return rotated;
}

export interface NumberedVersion {
  readonly number: number;
  readonly version: KeyVersion;
}

/** The version to encrypt or sign with; 0 = the latest. @throws Refusal 400 */
export function versionForUse(
  key: TransitKey,
  asked: number,
  what: 'encryption' | 'signing',
): NumberedVersion {
  refuseDeleted(key, what === 'signing' ? wrappedError : refuse);
  const number = asked === 0 ? key.latest : asked;
  if (number < 0) throw refuse(`requested version for ${what} is negative`);
  if (number > key.latest) {
    throw refuse(`requested version for ${what} is higher than the latest key version`);
  }
  if (number < key.minEncryption) {
    throw refuse(`requested version for ${what} is less than the minimum encryption key version`);
  }
  const version = number < key.minDecryption ? undefined : key.versions[number];
  if (version === undefined) throw refuse('no such key version');
  return { number, version };
}

/** Takes `vault:v1:…` apart. @throws Refusal 400 */
export function readVersioned(
  key: TransitKey,
  text: string,
  what: 'ciphertext' | 'signature' | 'HMAC',
): NumberedVersion & { readonly value: string } {
  refuseDeleted(key, refuse);
  if (!text.startsWith('vault:v')) throw refuse(`invalid ${what}: no prefix`);
  const [, digits = '', value] = /^vault:v([^:]*):(.*)$/s.exec(text) ?? [];
  if (value === undefined) throw refuse(`invalid ${what}: wrong number of fields`);
  if (!/^\d{1,9}$/.test(digits)) throw refuse(`invalid ${what}: version number could not be decoded`);
  const number = Number(digits) === 0 ? 1 : Number(digits);
  if (number > key.latest) throw refuse(`invalid ${what}: version is too new`);
  if (number < key.minDecryption) {
    throw refuse('ciphertext or signature version is disallowed by policy (too old)');
  }
  const version = key.versions[number];
  if (version === undefined) throw refuse('no such key version');
  return { number, version, value };
}

const wrappedError = (text: string): Refusal => refuseWrapped(text, 500, 'soft-deleted');

/** @throws Refusal as `refuseWith` makes it; without it 500, as upstream does where it did not think of a status */
export function refuseDeleted(key: TransitKey, refuseWith = wrappedError, what = ''): void {
  if (key.softDeleted === true) throw refuseWith(`${what}refusing to use soft-deleted key`);
}

interface Pair {
  readonly privateKey: KeyObject | undefined;
  readonly publicKey: KeyObject;
}

export const publicKeyOf = (version: KeyVersion): KeyObject => pairOf(version).publicKey;

/** Undefined when only the public key was brought in. */
export const privateKeyOf = (version: KeyVersion): KeyObject | undefined => pairOf(version).privateKey;

/** Parsed once per stored value. */
const pairOf = perObject(({ secret, publicKey }: KeyVersion): Pair => {
  if (publicKey !== undefined) {
    return { privateKey: undefined, publicKey: importSpki(Buffer.from(publicKey, 'base64')) };
  }
  const der = Buffer.from(secret, 'base64');
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
});
