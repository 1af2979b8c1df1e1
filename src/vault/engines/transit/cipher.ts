import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt } from 'node:crypto';
import { fromBase64 } from '../../core/base64.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import { convergentNonce, keyBytes } from './derive.ts';
import { requireType, type TransitType } from './key-types.ts';
import {
  type NumberedVersion,
  privateKeyOf,
  publicKeyOf,
  readVersioned,
  type TransitKey,
  versionForUse,
} from './store.ts';

const nonceBytes = 12;
const tagBytes = 16;
const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;

/** What a call adds to the key. */
export interface CallKeys {
  readonly associated: Buffer;
  /** For derivation; empty when there is none. */
  readonly context: Buffer;
}

export interface Sealed {
  readonly ciphertext: string;
  readonly version: number;
}

/** @throws Refusal 400 */
export function seal(
  key: TransitKey,
  plain: Buffer,
  o: CallKeys & { readonly version: number; readonly random: (size: number) => Buffer },
): Sealed {
  const type = requireEncryption(key);
  const use = versionForUse(key, o.version, 'encryption');
  const bytes = type.kind === 'rsa' ? sealRsa(use, plain) : sealAead(key, type, use, plain, o);
  return { ciphertext: `vault:v${use.number}:${bytes.toString('base64')}`, version: use.number };
}

/** @throws Refusal 400 */
export function open(key: TransitKey, ciphertext: string, o: CallKeys): Buffer {
  const type = requireEncryption(key);
  const { value, ...use } = readVersioned(key, ciphertext, 'ciphertext');
  const bytes = fromBase64(value, 'invalid ciphertext: could not decode base64: ');
  return type.kind === 'rsa' ? openRsa(use, bytes) : openAead(key, type, use, bytes, o);
}

function requireEncryption(key: TransitKey): TransitType {
  const type = requireType(key.type);
  if (!type.encrypts) throw refuse(`message encryption not supported for key type ${key.type}`);
  return type;
}

/** Node's types know one overload per cipher; all of these have a tag of 16 bytes. */
function algorithm({ name }: TransitType): 'aes-256-gcm' {
  const found = name === 'chacha20-poly1305' ? name : name === 'aes128-gcm96' ? 'aes-128-gcm' : 'aes-256-gcm';
  return found as 'aes-256-gcm';
}

/** The cipher's key, and for convergent keys the one that makes nonces. */
function callKey(
  key: TransitKey,
  { size }: TransitType,
  { version }: NumberedVersion,
  context: Buffer,
): { readonly cipherKey: Buffer; readonly nonceKey: Buffer } {
  const bytes = keyBytes(key, version, context, key.convergent === true ? size + 32 : size);
  return { cipherKey: bytes.subarray(0, size), nonceKey: bytes.subarray(size) };
}

function sealAead(
  key: TransitKey,
  type: TransitType,
  use: NumberedVersion,
  plain: Buffer,
  o: CallKeys & { readonly random: (size: number) => Buffer },
): Buffer {
  const { cipherKey, nonceKey } = callKey(key, type, use, o.context);
  const nonce = key.convergent === true ? convergentNonce(nonceKey, plain, nonceBytes) : o.random(nonceBytes);
  const cipher = createCipheriv(algorithm(type), cipherKey, nonce, { authTagLength: tagBytes });
  cipher.setAAD(o.associated, { plaintextLength: plain.length });
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function openAead(
  key: TransitKey,
  type: TransitType,
  use: NumberedVersion,
  bytes: Buffer,
  o: CallKeys,
): Buffer {
  if (bytes.length < nonceBytes + tagBytes) throw refuse('invalid ciphertext length');
  const { cipherKey } = callKey(key, type, use, o.context);
  const decipher = createDecipheriv(algorithm(type), cipherKey, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(o.associated, { plaintextLength: bytes.length - nonceBytes - tagBytes });
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes)),
      decipher.final(),
    ]);
  } catch {
    const who = type.name === 'chacha20-poly1305' ? 'chacha20poly1305' : 'cipher';
    throw refuse(`${who}: message authentication failed`);
  }
}

function sealRsa({ version }: NumberedVersion, plain: Buffer): Buffer {
  try {
    return publicEncrypt({ key: publicKeyOf(version), ...oaep }, plain);
  } catch {
    throw refuse('failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size');
  }
}

function openRsa({ version }: NumberedVersion, bytes: Buffer): Buffer {
  const key = privateKeyOf(version);
  if (key === undefined) {
    const text = 'cannot decrypt ciphertext, key version does not have a private counterpart';
    throw refuseWrapped(text, 500, 'no-private-key');
  }
  try {
    return privateDecrypt({ key, ...oaep }, bytes);
  } catch {
    throw refuse('failed to RSA decrypt the ciphertext: crypto/rsa: decryption error');
  }
}
