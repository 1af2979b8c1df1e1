import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { generateKeyPair } from '../../../x509/keys.ts';
import type { Context } from '../../core/backend.ts';
import { refuse } from '../../core/refusal.ts';
import type { StorageView } from '../../core/storage.ts';
import { requireType, type TransitType } from './key-types.ts';

/** One version of a key at rest. All texts are base64. */
export interface KeyVersion {
  /** The symmetric key, or PKCS#8 DER. */
  readonly secret: string;
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
): Promise<KeyVersion> {
  const secret =
    type.pair === undefined
      ? random(type.size)
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
  const rotated = withVersion(key, await newVersion(context, requireType(key.type)));
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

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const pairs = new WeakMap<KeyVersion, Pair>();

/** Parsed once per stored value. */
export function pairOf(version: KeyVersion): Pair {
  const known = pairs.get(version);
  if (known !== undefined) return known;
  const der = Buffer.from(version.secret, 'base64');
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const pair = { privateKey, publicKey: createPublicKey(privateKey) };
  pairs.set(version, pair);
  return pair;
}
