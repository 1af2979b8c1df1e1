import { constants, type KeyObject, privateEncrypt, publicDecrypt, sign, verify } from 'node:crypto';
import { nullValue, octetString, oid, sequence } from '../../../x509/der/writer.ts';
import type { Random } from '../../core/barrier.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import { maxSalt, signPss, verifyPss } from './raw-pss.ts';
import type { SigningOptions } from './signing-options.ts';

const pkcs1 = { padding: constants.RSA_PKCS1_PADDING } as const;
const failed = (text: string): Refusal => refuseWrapped(text, 500, 'bad-field');

/** @throws Refusal */
export async function signRsa(
  key: KeyObject,
  input: Buffer,
  o: SigningOptions,
  random: Random,
): Promise<Buffer> {
  const { hash } = o;
  if (schemeOf(o) === 'pkcs1v15') {
    if (o.isPrehashed) return encrypted(key, prepared(o, input));
    return signAside(key, input, hash.digest, pkcs1);
  }
  const saltLength = saltOf(key, o, failed);
  if (!o.isPrehashed) {
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING };
    const salt = saltLength ?? constants.RSA_PSS_SALTLEN_MAX_SIGN;
    return signAside(key, input, hash.digest, { ...padding, saltLength: salt });
  }
  if (input.length !== hash.bytes) throw failed('crypto/rsa: input must be hashed with given hash');
  return signPss(key, input, { digest: hash.digest, saltLength }, random);
}

/** On the thread pool. */
function signAside(key: KeyObject, input: Buffer, digest: string, padding: object): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(digest, input, { key, ...padding }, (error, signature) =>
      error === null ? resolve(signature) : reject(error),
    );
  });
}

function encrypted(key: KeyObject, block: Buffer | undefined): Buffer {
  if (block === undefined) throw failed('crypto/rsa: input must be hashed message');
  try {
    return privateEncrypt({ key, ...pkcs1 }, block);
  } catch {
    throw failed('crypto/rsa: message too long for RSA key size');
  }
}

/** False, too, for what is no signature. May throw what OpenSSL throws. @throws Refusal */
export function verifyRsa(key: KeyObject, input: Buffer, signature: Buffer, o: SigningOptions): boolean {
  const { hash } = o;
  if (schemeOf(o) === 'pkcs1v15') {
    if (!o.isPrehashed) return verify(hash.digest, input, { key, ...pkcs1 }, signature);
    const block = prepared(o, input);
    return block !== undefined && publicDecrypt({ key, ...pkcs1 }, signature).equals(block);
  }
  const saltLength = saltOf(key, o, refuse);
  if (o.isPrehashed) {
    return (
      input.length === hash.bytes && verifyPss(key, input, signature, { digest: hash.digest, saltLength })
    );
  }
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING };
  const salt = saltLength ?? constants.RSA_PSS_SALTLEN_AUTO;
  return verify(hash.digest, input, { key, ...padding, saltLength: salt }, signature);
}

function schemeOf({ scheme }: SigningOptions): 'pss' | 'pkcs1v15' {
  if (scheme === 'pkcs1v15') return scheme;
  if (scheme === '' || scheme === 'pss') return 'pss';
  throw failed(`unsupported rsa signature algorithm ${scheme}`);
}

/** Bytes; undefined for `auto`. */
function saltOf(
  key: KeyObject,
  { saltLength, hash }: SigningOptions,
  refuseWith: (text: string) => Refusal,
): number | undefined {
  if (saltLength === 'auto') return undefined;
  if (saltLength === 'hash') return hash.bytes;
  if (saltLength <= maxSalt(key, hash.bytes)) return saltLength;
  throw refuseWith(`requested salt length ${saltLength} is invalid`);
}

/** RFC 8017, 9.2; without a hash the input as it is. Undefined for what cannot be a digest of that hash. */
function prepared({ hash }: SigningOptions, digest: Buffer): Buffer | undefined {
  if (hash.digest === '') return digest;
  if (digest.length !== hash.bytes) return undefined;
  return sequence(sequence(oid(hash.oid), nullValue), octetString(digest));
}
