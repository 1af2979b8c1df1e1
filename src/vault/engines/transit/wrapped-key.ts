import {
  constants,
  createCipheriv,
  createDecipheriv,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import type { Random } from '../../core/barrier.ts';

const digests: Readonly<Record<string, string>> = {
  SHA1: 'sha1',
  SHA224: 'sha224',
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
};

/** OpenSSL's name of a hash; undefined when it is none that may be used. */
export function oaepDigest(name: string): string | undefined {
  const upper = name.toUpperCase();
  return Object.hasOwn(digests, upper) ? digests[upper] : undefined;
}

/** The value that RFC 5649 begins with. */
const initial = Buffer.from('a65959a6', 'hex');
const cipher = 'id-aes256-wrap-pad';
const oaep = (key: KeyObject, oaepHash: string) =>
  ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }) as const;

/**
 * A key wrapped with a fresh AES key (RFC 5649), which is wrapped with an RSA key before it (RSAES-OAEP): what PKCS#11 calls
 * CKM_RSA_AES_KEY_WRAP.
 */
export function wrapKey(wrapping: KeyObject, secret: Buffer, hash: string, random: Random): Buffer {
  const ephemeral = random(32);
  const wrap = createCipheriv(cipher, ephemeral, initial);
  return Buffer.concat([publicEncrypt(oaep(wrapping, hash), ephemeral), wrap.update(secret), wrap.final()]);
}

/** @param rsaBytes how long the first part is @throws whatever OpenSSL throws */
export function unwrapKey(key: KeyObject, wrapped: Buffer, hash: string, rsaBytes: number): Buffer {
  const ephemeral = privateDecrypt(oaep(key, hash), wrapped.subarray(0, rsaBytes));
  const unwrap = createDecipheriv(cipher, ephemeral, initial);
  return Buffer.concat([unwrap.update(wrapped.subarray(rsaBytes)), unwrap.final()]);
}
