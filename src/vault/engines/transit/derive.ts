import { createHmac, createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { fromBase64 } from '../../core/base64.ts';
import { type Fields, textOf } from '../../core/fields.ts';
import { refuse, refuseWrapped } from '../../core/refusal.ts';
import type { KeyVersion, TransitKey } from './store.ts';

const missingContext =
  "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key";

/** The `context` of a call. @throws Refusal 400 */
export const contextBytes = (fields: Fields): Buffer => fromBase64(textOf(fields, 'context'));

/** `size` bytes for this context alone (RFC 5869 with SHA-256); without derivation the key itself. @throws Refusal 400 */
export function keyBytes(
  key: TransitKey,
  version: Pick<KeyVersion, 'secret'>,
  context: Buffer,
  size: number,
): Buffer {
  const secret = Buffer.from(version.secret, 'base64');
  if (key.derived !== true) return secret;
  if (context.length === 0) throw refuse(missingContext);
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), context, size));
}

/** The same plaintext under the same context has the same nonce, and no other has it. */
export const convergentNonce = (hmacKey: Buffer, plain: Buffer, size: number): Buffer =>
  createHmac('sha256', hmacKey).update(plain).digest().subarray(0, size);

/** PKCS#8 around the 32 bytes of an Ed25519 key (RFC 8410, 7). */
const ed25519Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The Ed25519 pair of a context. @throws Refusal 500, as upstream does for signatures */
export function derivedPair(
  key: TransitKey,
  version: Pick<KeyVersion, 'secret'>,
  context: Buffer,
): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (context.length === 0) throw refuseWrapped(`error deriving key: ${missingContext}`, 500, 'no-context');
  const der = Buffer.concat([ed25519Prefix, keyBytes(key, version, context, 32)]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
