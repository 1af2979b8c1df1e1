import type { KeyObject } from 'node:crypto';

/** ECDSA over a digest that somebody else made (FIPS 186-5, 6.4): the runtime signs only what it has hashed itself. */
const orderBits: Readonly<Record<string, number>> = { 'ec-p256': 256, 'ec-p384': 384, 'ec-p521': 521 };

/** The digest is taken as it is; s may be in either half of the order, as OpenSSL's is; r and s side by side. */
const form = { prehash: false, lowS: false, format: 'compact' } as const;

/** Bytes of r, and of s. */
function sizeOf(type: string): number {
  const bits = orderBits[type];
  if (bits === undefined) throw new Error(`${type} has no curve`);
  return Math.ceil(bits / 8);
}

/** Loaded when somebody asks: few do, and it is a tenth of a store's start. */
async function curveOf(type: string) {
  const { p256, p384, p521 } = await import('@noble/curves/nist.js');
  return { 32: p256, 48: p384 }[sizeOf(type)] ?? p521;
}

const bytesOf = (text: unknown): Buffer => Buffer.from(String(text), 'base64url');

/**
 * @param type `ec-p256`, `ec-p384` or `ec-p521`
 * @returns r and s, each as long as the order (IEEE P1363); the nonce is made of key, digest and fresh random bytes (RFC 6979, 3.6)
 */
export async function signDigest(type: string, key: KeyObject, digest: Buffer): Promise<Buffer> {
  const curve = await curveOf(type);
  const secret = bytesOf(key.export({ format: 'jwk' }).d);
  try {
    return Buffer.from(curve.sign(digest, secret, { ...form, extraEntropy: true }));
  } finally {
    secret.fill(0);
  }
}

/** @param signature r and s, each as long as the order; any other bytes are a wrong signature */
export async function verifyDigest(
  type: string,
  key: KeyObject,
  digest: Buffer,
  signature: Buffer,
): Promise<boolean> {
  if (signature.length !== 2 * sizeOf(type)) return false;
  const curve = await curveOf(type);
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
  const size = sizeOf(type);
  if (parts.length !== 2 || parts.some((part) => part.length > size)) return undefined;
  return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.alloc(size - part.length), part])));
}
