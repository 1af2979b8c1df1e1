import { createPublicKey, type KeyObject } from 'node:crypto';

/** SubjectPublicKeyInfo of P-256 up to its point, which is not compressed (RFC 5480): id-ecPublicKey, prime256v1, 04. */
const p256Head = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const p256Length = p256Head.length + 64;

/** What a key looks like in a certificate. An export costs five P-256 signatures, so it is made once a key. */
const encoded = new WeakMap<KeyObject, Buffer>();

/**
 * Reads a SubjectPublicKeyInfo. The usual shape of P-256, which nearly every workload sends, is taken apart here: by its
 * coordinates OpenSSL takes it in half of the time (and checks that the point is on the curve, as it does otherwise).
 * @throws whatever node:crypto throws for what is not a key
 */
export function importSpki(der: Buffer): KeyObject {
  if (der.length !== p256Length || !der.subarray(0, p256Head.length).equals(p256Head)) {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  }
  const x = der.toString('base64url', p256Head.length, p256Head.length + 32);
  const y = der.toString('base64url', p256Head.length + 32);
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  encoded.set(key, der); // the only encoding that an export could give
  return key;
}

/** SubjectPublicKeyInfo of a public key, DER. Not to be written into. */
export function spkiOf(key: KeyObject): Buffer {
  const known = encoded.get(key);
  if (known !== undefined) return known;
  const made = key.export({ type: 'spki', format: 'der' });
  encoded.set(key, made);
  return made;
}
