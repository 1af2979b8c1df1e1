import type { KeyObject } from 'node:crypto';
import { p256, p384, p521 } from '@noble/curves/nist.js';

/** ECDSA over a digest that somebody else made (FIPS 186-5, 6.4): the runtime signs only what it has hashed itself. */
const curves = { 'ec-p256': p256, 'ec-p384': p384, 'ec-p521': p521 } as const;

/** The digest is taken as it is; s may be in either half of the order, as OpenSSL's is; r and s side by side. */
const form = { prehash: false, lowS: false, format: 'compact' } as const;

const curveOf = (type: string) => {
  const curve = Object.hasOwn(curves, type) ? curves[type as keyof typeof curves] : undefined;
  if (curve === undefined) throw new Error(`${type} has no curve`);
  return curve;
};

const bytesOf = (text: unknown): Buffer => Buffer.from(String(text), 'base64url');

/**
 * @param type `ec-p256`, `ec-p384` or `ec-p521`
 * @returns r and s, each as long as the order (IEEE P1363); the nonce is made of key, digest and fresh random bytes (RFC 6979, 3.6)
 */
export function signDigest(type: string, key: KeyObject, digest: Buffer): Buffer {
  const secret = bytesOf(key.export({ format: 'jwk' }).d);
  try {
    return Buffer.from(curveOf(type).sign(digest, secret, { ...form, extraEntropy: true }));
  } finally {
    secret.fill(0);
  }
}

/** @param signature r and s, each as long as the order; any other bytes are a wrong signature */
export function verifyDigest(type: string, key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const curve = curveOf(type);
  if (signature.length !== curve.lengths.signature) return false;
  const { x, y } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), bytesOf(x), bytesOf(y)]);
  try {
    return curve.verify(signature, digest, point, form);
  } catch {
    return false; // r or s is zero or beyond the order
  }
}

/** The bytes of r and s of a signature in DER, as long as the order; undefined for a number that is too long. */
export function joined(type: string, parts: readonly Buffer[]): Buffer | undefined {
  const size = (curveOf(type).lengths.signature ?? 0) / 2;
  if (parts.length !== 2 || parts.some((part) => part.length > size)) return undefined;
  return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.alloc(size - part.length), part])));
}
