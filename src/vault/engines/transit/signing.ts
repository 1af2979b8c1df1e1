import { type KeyObject, sign, verify } from 'node:crypto';
import { DerReader } from '../../../x509/der/reader.ts';
import { tags } from '../../../x509/der/tags.ts';
import { readUnsigned } from '../../../x509/der/values.ts';
import { sequence, unsigned } from '../../../x509/der/writer.ts';
import type { Random } from '../../core/barrier.ts';
import { fromBase64 } from '../../core/base64.ts';
import { Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import { derivedPair } from './derive.ts';
import { requireType, type TransitType } from './key-types.ts';
import { joined, signDigest, verifyDigest } from './raw-ecdsa.ts';
import { signRsa, verifyRsa } from './rsa-signing.ts';
import type { SigningOptions } from './signing-options.ts';
import { privateKeyOf, publicKeyOf, readVersioned, type TransitKey, versionForUse } from './store.ts';

export interface Signed {
  readonly signature: string;
  readonly version: number;
  /** Base64, of a derived key: nobody else could tell which it is. */
  readonly publicKey?: string;
}

/** `vault:vN:…` over the input. RSA signs on the thread pool. @throws Refusal */
export async function signInput(
  key: TransitKey,
  input: Buffer,
  o: SigningOptions,
  call: { readonly version: number; readonly context: Buffer; readonly random: Random },
): Promise<Signed> {
  const type = requireSigning(key);
  const { number, version } = versionForUse(key, call.version, 'signing');
  const derived = key.derived === true ? derivedPair(key, version, call.context) : undefined;
  const signer = derived?.privateKey ?? privateKeyOf(version);
  if (signer === undefined) {
    throw refuseWrapped(
      'requested version for signing does not contain a private part',
      500,
      'no-private-key',
    );
  }
  const bytes = await signBytes(type, signer, input, o, call.random);
  const signature = `vault:v${number}:${bytes.toString(o.marshaling === 'jws' ? 'base64url' : 'base64')}`;
  const publicKey =
    derived === undefined ? {} : { publicKey: rawPublicKey(derived.publicKey).toString('base64') };
  return { signature, version: number, ...publicKey };
}

/** The 32 bytes of an Ed25519 key. */
export const rawPublicKey = (key: KeyObject): Buffer =>
  Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url');

function requireSigning(key: TransitKey, what = 'signing'): TransitType {
  const type = requireType(key.type);
  if (!type.signs) throw refuse(`key type ${key.type} does not support ${what}`);
  return type;
}

async function signBytes(
  type: TransitType,
  key: KeyObject,
  input: Buffer,
  o: SigningOptions,
  random: Random,
): Promise<Buffer> {
  if (type.kind === 'ed25519') return sign(null, input, key); // hashes by itself, twice: prehashed or not
  if (type.kind === 'rsa') return signRsa(key, input, o, random);
  if (!o.isPrehashed) return sign(o.hash.digest, input, { key, dsaEncoding: encodingOf(o) });
  const signature = await signDigest(type.pair ?? '', key, input);
  if (o.marshaling === 'jws') return signature;
  const half = signature.length / 2;
  return sequence(unsigned(signature.subarray(0, half)), unsigned(signature.subarray(half)));
}

const encodingOf = ({ marshaling }: SigningOptions): 'ieee-p1363' | 'der' =>
  marshaling === 'jws' ? 'ieee-p1363' : 'der';

/** Whether the signature is the key's. @throws Refusal 400 for what is no signature */
export async function verifyInput(
  key: TransitKey,
  input: Buffer,
  signature: string,
  o: SigningOptions,
  context: Buffer,
): Promise<boolean> {
  const type = requireSigning(key, 'verification');
  const { value, version } = readVersioned(key, signature, 'signature');
  const publicKey =
    key.derived === true ? derivedPair(key, version, context).publicKey : publicKeyOf(version);
  const bytes = o.marshaling === 'jws' ? Buffer.from(value, 'base64url') : decoded(value);
  if (type.kind === 'ed25519') return safely(() => verify(null, input, publicKey, bytes));
  if (type.kind === 'rsa') return safely(() => verifyRsa(publicKey, input, bytes, o));
  const parts = o.marshaling === 'jws' ? undefined : partsOf(bytes);
  if (!o.isPrehashed) {
    return safely(() => verify(o.hash.digest, input, { key: publicKey, dsaEncoding: encodingOf(o) }, bytes));
  }
  const curve = type.pair ?? '';
  const whole = parts === undefined ? bytes : joined(curve, parts);
  return whole !== undefined && verifyDigest(curve, publicKey, input, whole);
}

const decoded = (value: string): Buffer => {
  try {
    return fromBase64(value);
  } catch {
    throw refuse('invalid base64 signature value');
  }
};

/** The two numbers of an ECDSA signature; none when they cannot be of any curve. @throws Refusal 400 */
function partsOf(bytes: Buffer): Buffer[] {
  let reader: DerReader;
  try {
    const outer = new DerReader(bytes);
    reader = outer.enter(tags.sequence, 'the signature');
    outer.end('the signature');
  } catch {
    throw refuse('supplied signature is invalid');
  }
  try {
    const parts = ['r', 's'].map((what) => readUnsigned(reader.next(tags.integer, what), 66, what));
    reader.end('the signature');
    return parts;
  } catch {
    return [];
  }
}

/** OpenSSL throws on what is not even well formed. */
function safely(work: () => boolean): boolean {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    return false;
  }
}
