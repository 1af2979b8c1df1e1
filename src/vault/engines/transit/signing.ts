import { constants, type KeyObject, privateEncrypt, publicDecrypt, sign, verify } from 'node:crypto';
import { DerReader } from '../../../x509/der/reader.ts';
import { tags } from '../../../x509/der/tags.ts';
import { nullValue, octetString, oid, sequence } from '../../../x509/der/writer.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import { fromBase64 } from './base64.ts';
import { derivedPair } from './derive.ts';
import { requireType, type TransitType } from './key-types.ts';
import { type KeyVersion, pairOf, readVersioned, type TransitKey, versionForUse } from './store.ts';

interface Hash {
  readonly digest: string;
  readonly bytes: number;
  /** For the DigestInfo of PKCS#1 v1.5. */
  readonly oid: string;
}

const sha2 = '2.16.840.1.101.3.4.2.';
const hashes: Readonly<Record<string, Hash>> = {
  sha1: { digest: 'sha1', bytes: 20, oid: '1.3.14.3.2.26' },
  'sha2-224': { digest: 'sha224', bytes: 28, oid: `${sha2}4` },
  'sha2-256': { digest: 'sha256', bytes: 32, oid: `${sha2}1` },
  'sha2-384': { digest: 'sha384', bytes: 48, oid: `${sha2}2` },
  'sha2-512': { digest: 'sha512', bytes: 64, oid: `${sha2}3` },
  'sha3-224': { digest: 'sha3-224', bytes: 28, oid: `${sha2}7` },
  'sha3-256': { digest: 'sha3-256', bytes: 32, oid: `${sha2}8` },
  'sha3-384': { digest: 'sha3-384', bytes: 48, oid: `${sha2}9` },
  'sha3-512': { digest: 'sha3-512', bytes: 64, oid: `${sha2}10` },
};

/** @throws Refusal 400 */
export function hashOf(name: string): Hash {
  const found = Object.hasOwn(hashes, name) ? hashes[name] : undefined;
  if (found === undefined) throw refuse(`invalid hash algorithm ${JSON.stringify(name)}`);
  return found;
}

export interface SigningOptions {
  readonly hash: Hash;
  readonly isPrehashed: boolean;
  /** `pss`, `pkcs1v15` or nothing. */
  readonly scheme: string;
  /** `asn1` or `jws`. */
  readonly marshaling: string;
  /** `auto`, `hash` or a number. */
  readonly saltLength: string;
}

const pairFor = (key: TransitKey, version: KeyVersion, context: Buffer): ReturnType<typeof pairOf> =>
  key.derived === true ? derivedPair(key, version, context) : pairOf(version);

/** `vault:vN:…` over the input. RSA signs on the thread pool. @throws Refusal */
export async function signInput(
  key: TransitKey,
  input: Buffer,
  o: SigningOptions,
  call: { readonly version: number; readonly context: Buffer },
): Promise<{ readonly signature: string; readonly version: number }> {
  const type = requireSigning(key);
  const { number, version } = versionForUse(key, call.version, 'signing');
  const bytes = await signBytes(type, pairFor(key, version, call.context).privateKey, input, o);
  const encoding = type.kind === 'ecdsa' && o.marshaling === 'jws' ? 'base64url' : 'base64';
  return { signature: `vault:v${number}:${bytes.toString(encoding)}`, version: number };
}

function requireSigning(key: TransitKey): TransitType {
  const type = requireType(key.type);
  if (!type.signs) throw refuse(`key type ${key.type} does not support signing`);
  return type;
}

function signBytes(type: TransitType, key: KeyObject, input: Buffer, o: SigningOptions): Promise<Buffer> {
  if (type.kind === 'ed25519') return Promise.resolve(sign(null, input, key));
  if (type.kind === 'ecdsa') {
    requireWhole(type, o);
    return Promise.resolve(sign(o.hash.digest, input, { key, dsaEncoding: encodingOf(o) }));
  }
  const padding = paddingOf(o, 'sign');
  if (o.isPrehashed) {
    return Promise.resolve(
      privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(o, input)),
    );
  }
  return new Promise((resolve, reject) => {
    sign(o.hash.digest, input, { key, ...padding }, (error, signature) =>
      error === null ? resolve(signature) : reject(error),
    );
  });
}

const encodingOf = ({ marshaling }: SigningOptions): 'ieee-p1363' | 'der' =>
  marshaling === 'jws' ? 'ieee-p1363' : 'der';

/** The runtime cannot sign a digest that somebody else made, except in the old RSA scheme. */
function requireWhole(type: TransitType, o: SigningOptions): void {
  if (o.isPrehashed) throw refuse(`prehashed input is not supported for key type ${type.name}`);
}

function paddingOf(
  o: SigningOptions,
  purpose: 'sign' | 'verify',
): { readonly padding: number; readonly saltLength?: number } {
  if (o.scheme === 'pkcs1v15') return { padding: constants.RSA_PKCS1_PADDING };
  if (o.scheme !== '' && o.scheme !== 'pss') {
    throw refuseWrapped(`unsupported rsa signature algorithm ${o.scheme}`, 500, 'bad-field');
  }
  if (o.isPrehashed) throw refuse('prehashed input is supported for the signature algorithm pkcs1v15 only');
  return { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: saltOf(o, purpose) };
}

function saltOf({ saltLength }: SigningOptions, purpose: 'sign' | 'verify'): number {
  if (saltLength === 'auto') {
    return purpose === 'sign' ? constants.RSA_PSS_SALTLEN_MAX_SIGN : constants.RSA_PSS_SALTLEN_AUTO;
  }
  if (saltLength === 'hash') return constants.RSA_PSS_SALTLEN_DIGEST;
  if (/^\d{1,4}$/.test(saltLength)) return Number(saltLength);
  throw refuse(`salt length ${JSON.stringify(saltLength)} is neither auto, hash nor a number`);
}

/** RFC 8017, 9.2. @throws Refusal */
function digestInfo({ hash }: SigningOptions, digest: Buffer): Buffer {
  if (digest.length !== hash.bytes) {
    throw refuseWrapped('crypto/rsa: input must be hashed with given hash', 500, 'bad-field');
  }
  return sequence(sequence(oid(hash.oid), nullValue), octetString(digest));
}

/** Whether the signature is the key's. @throws Refusal 400 for what is no signature */
export function verifyInput(
  key: TransitKey,
  input: Buffer,
  signature: string,
  o: SigningOptions,
  context: Buffer,
): boolean {
  const type = requireSigning(key);
  const { value, version } = readVersioned(key, signature, 'signature');
  const { publicKey } = pairFor(key, version, context);
  if (type.kind === 'ecdsa') {
    requireWhole(type, o);
    const bytes = o.marshaling === 'jws' ? Buffer.from(value, 'base64url') : decoded(value);
    if (o.marshaling !== 'jws') requireSequence(bytes);
    return safely(() => verify(o.hash.digest, input, { key: publicKey, dsaEncoding: encodingOf(o) }, bytes));
  }
  const bytes = decoded(value);
  if (type.kind === 'ed25519') return safely(() => verify(null, input, publicKey, bytes));
  const padding = paddingOf(o, 'verify');
  if (o.isPrehashed) {
    const info = digestInfo(o, input);
    return safely(() =>
      publicDecrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, bytes).equals(info),
    );
  }
  return safely(() => verify(o.hash.digest, input, { key: publicKey, ...padding }, bytes));
}

const decoded = (value: string): Buffer => {
  try {
    return fromBase64(value);
  } catch {
    throw refuse('invalid base64 signature value');
  }
};

function requireSequence(bytes: Buffer): void {
  try {
    const outer = new DerReader(bytes);
    outer.next(tags.sequence, 'the signature');
    outer.end('the signature');
  } catch {
    throw refuse('supplied signature is invalid');
  }
}

/** OpenSSL throws on what is not even well formed. */
function safely(work: () => boolean): boolean {
  try {
    return work();
  } catch {
    return false;
  }
}
