import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt } from 'node:crypto';
import { refuse } from '../../core/refusal.ts';
import { fromBase64 } from './base64.ts';
import { requireType, type TransitType } from './key-types.ts';
import { type NumberedVersion, pairOf, readVersioned, type TransitKey, versionForUse } from './store.ts';

const nonceBytes = 12;
const tagBytes = 16;
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

export interface Sealed {
  readonly ciphertext: string;
  readonly version: number;
}

/** @throws Refusal 400 */
export function seal(
  key: TransitKey,
  plain: Buffer,
  o: { readonly version: number; readonly associated: Buffer; readonly random: (size: number) => Buffer },
): Sealed {
  const type = requireEncryption(key);
  const use = versionForUse(key, o.version, 'encryption');
  const bytes =
    type.kind === 'rsa' ? sealRsa(use, plain) : sealAes(type, use, plain, o.associated, o.random(nonceBytes));
  return { ciphertext: `vault:v${use.number}:${bytes.toString('base64')}`, version: use.number };
}

/** @throws Refusal 400 */
export function open(key: TransitKey, ciphertext: string, associated: Buffer): Buffer {
  const type = requireEncryption(key);
  const { value, ...use } = readVersioned(key, ciphertext, 'ciphertext');
  const bytes = fromBase64(value, 'invalid ciphertext: could not decode base64: ');
  return type.kind === 'rsa' ? openRsa(use, bytes) : openAes(type, use, bytes, associated);
}

function requireEncryption(key: TransitKey): TransitType {
  const type = requireType(key.type);
  if (!type.encrypts) throw refuse(`message encryption not supported for key type ${key.type}`);
  return type;
}

const algorithm = ({ size }: TransitType): 'aes-256-gcm' | 'aes-128-gcm' =>
  size === 32 ? 'aes-256-gcm' : 'aes-128-gcm';

function sealAes(
  type: TransitType,
  { version }: NumberedVersion,
  plain: Buffer,
  associated: Buffer,
  nonce: Buffer,
): Buffer {
  const cipher = createCipheriv(algorithm(type), Buffer.from(version.secret, 'base64'), nonce);
  cipher.setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function openAes(type: TransitType, { version }: NumberedVersion, bytes: Buffer, associated: Buffer): Buffer {
  if (bytes.length < nonceBytes + tagBytes) throw refuse('invalid ciphertext length');
  const key = Buffer.from(version.secret, 'base64');
  const decipher = createDecipheriv(algorithm(type), key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(associated);
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes)),
      decipher.final(),
    ]);
  } catch {
    throw refuse('cipher: message authentication failed');
  }
}

function sealRsa({ version }: NumberedVersion, plain: Buffer): Buffer {
  try {
    return publicEncrypt({ key: pairOf(version).publicKey, ...oaep }, plain);
  } catch {
    throw refuse('failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size');
  }
}

function openRsa({ version }: NumberedVersion, bytes: Buffer): Buffer {
  try {
    return privateDecrypt({ key: pairOf(version).privateKey, ...oaep }, bytes);
  } catch {
    throw refuse('failed to RSA decrypt the ciphertext: crypto/rsa: decryption error');
  }
}
