import { createPublicKey, type KeyObject } from 'node:crypto';
import { toPem } from './pem.ts';

/** SubjectPublicKeyInfo of P-256 up to its point, which is not compressed (RFC 5480): id-ecPublicKey, prime256v1, 04. */
const p256Head = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const p256Length = p256Head.length + 64;

/** What a key looks like in a certificate. An export costs five P-256 signatures, so it is made once a key. */
const encoded = new WeakMap<KeyObject, Buffer>();

/** Keys whose curve was seen in their encoding: to ask OpenSSL for it costs as much as a signature. */
const p256Keys = new WeakSet<KeyObject>();

/** What OpenSSL 3.0 (Node 20, 22) needs 150 µs for and 3.5 (Node 24) 25 µs. */
const readsPemFast = fromOpenssl(3, 5);

/**
 * Reads a SubjectPublicKeyInfo. The usual shape of P-256, which nearly every workload sends, is known here and handed to
 * OpenSSL in the form that it reads fastest (and it checks that the point is on the curve, in each of them).
 * @throws whatever node:crypto throws for what is not a key
 */
export function importSpki(der: Buffer): KeyObject {
  if (der.length !== p256Length || !der.subarray(0, p256Head.length).equals(p256Head)) {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  }
  const key = readsPemFast ? createPublicKey(toPem('PUBLIC KEY', der)) : byCoordinates(der);
  encoded.set(key, der); // the only encoding that an export could give
  p256Keys.add(key);
  return key;
}

function byCoordinates(der: Buffer): KeyObject {
  const x = der.toString('base64url', p256Head.length, p256Head.length + 32);
  const y = der.toString('base64url', p256Head.length + 32);
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

function fromOpenssl(major: number, minor: number): boolean {
  const [ours = 0, second = 0] = process.versions.openssl.split('.').map(Number);
  return ours > major || (ours === major && second >= minor);
}

/** OpenSSL's name of the curve of an EC key; undefined for other keys. */
export function curveOf(key: KeyObject): string | undefined {
  return p256Keys.has(key) ? 'prime256v1' : key.asymmetricKeyDetails?.namedCurve;
}

/** SubjectPublicKeyInfo of a public key, DER. Not to be written into. */
export function spkiOf(key: KeyObject): Buffer {
  const known = encoded.get(key);
  if (known !== undefined) return known;
  const made = key.export({ type: 'spki', format: 'der' });
  encoded.set(key, made);
  return made;
}
