import { createHash, type KeyObject } from 'node:crypto';
import { DerReader } from './der/reader.ts';
import { tags } from './der/tags.ts';
import { readBitBytes } from './der/values.ts';
import { spkiOf } from './spki.ts';

/** SHA-1 over the key's bit string (RFC 5280 4.2.1.2, method 1), as OpenSSL's `hash` and Go do. Not a security use. */
export const keyIdOf = (publicKey: KeyObject): Buffer => keyIdOfDer(spkiOf(publicKey));

/** The same from an encoded SubjectPublicKeyInfo. */
export function keyIdOfDer(publicKeyDer: Buffer): Buffer {
  const reader = new DerReader(publicKeyDer);
  const spki = reader.enter(tags.sequence, 'the public key');
  spki.next(tags.sequence, 'the key algorithm');
  const bits = readBitBytes(spki.next(tags.bitString, 'the key bits'), 'the key bits');
  return createHash('sha1').update(bits).digest();
}
