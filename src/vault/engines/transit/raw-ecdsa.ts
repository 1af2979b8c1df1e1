import { createECDH, type KeyObject } from 'node:crypto';
import type { Random } from '../../core/barrier.ts';

/**
 * ECDSA over a digest that somebody else made (FIPS 186-5, 6.4): the runtime signs only what it has hashed itself. What takes
 * a secret through the curve is OpenSSL's, in constant time. The rest is arithmetic modulo the order, blinded when it signs;
 * what verifies handles nothing secret.
 */
interface Curve {
  /** OpenSSL's. */
  readonly name: string;
  /** Of the field, a prime. */
  readonly p: bigint;
  /** Of points, a prime. */
  readonly n: bigint;
  readonly bits: number;
}

const curves: Readonly<Record<string, Curve>> = {
  'ec-p256': {
    name: 'prime256v1',
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    bits: 256,
  },
  'ec-p384': {
    name: 'secp384r1',
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    bits: 384,
  },
  'ec-p521': {
    name: 'secp521r1',
    p: 2n ** 521n - 1n,
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    bits: 521,
  },
};

const curveOf = (type: string): Curve => {
  const curve = curves[type];
  if (curve === undefined) throw new Error(`${type} has no curve`);
  return curve;
};

const sizeOf = ({ bits }: Curve): number => Math.ceil(bits / 8);
const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
const toBytes = (value: bigint, size: number): Buffer =>
  Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex');
const modulo = (value: bigint, m: bigint): bigint => ((value % m) + m) % m;

/** By Euclid. */
function inverse(value: bigint, m: bigint): bigint {
  let [a, b, x, y] = [modulo(value, m), m, 1n, 0n];
  while (b !== 0n) {
    const q = a / b;
    [a, b, x, y] = [b, a - q * b, y, x - q * y];
  }
  return modulo(x, m);
}

/** The leftmost bits of a digest, as many as the order has. */
function digestNumber(digest: Buffer, { bits }: Curve): bigint {
  const surplus = digest.length * 8 - bits;
  return toBigInt(digest) >> BigInt(Math.max(0, surplus));
}

/** Below the order and not zero, each with the same probability. */
function randomScalar(curve: Curve, random: Random): bigint {
  const surplus = BigInt(sizeOf(curve) * 8 - curve.bits);
  for (;;) {
    const value = toBigInt(random(sizeOf(curve))) >> surplus;
    if (value > 0n && value < curve.n) return value;
  }
}

/** @param type `ec-p256`, `ec-p384` or `ec-p521` @returns r and s, each as long as the order (IEEE P1363) */
export function signDigest(type: string, key: KeyObject, digest: Buffer, random: Random): Buffer {
  const curve = curveOf(type);
  const { n } = curve;
  const d = toBigInt(Buffer.from(String(key.export({ format: 'jwk' }).d), 'base64url'));
  for (;;) {
    const k = randomScalar(curve, random);
    const blind = randomScalar(curve, random);
    const r = multiplyBase(curve, k)[0] % n;
    const sum = modulo(blind * digestNumber(digest, curve) + ((blind * d) % n) * r, n);
    const s = modulo(inverse((blind * k) % n, n) * sum, n);
    if (r !== 0n && s !== 0n) return Buffer.concat([r, s].map((part) => toBytes(part, sizeOf(curve))));
  }
}

/** @param signature r and s, each as long as the order */
export function verifyDigest(type: string, key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  const curve = curveOf(type);
  const { n, p } = curve;
  if (signature.length !== 2 * sizeOf(curve)) return false;
  const r = toBigInt(signature.subarray(0, sizeOf(curve)));
  const s = toBigInt(signature.subarray(sizeOf(curve)));
  if (r === 0n || s === 0n || r >= n || s >= n) return false;
  const w = inverse(s, n);
  const u1 = (digestNumber(digest, curve) * w) % n;
  const byKey = multiply(pointOf(key), (r * w) % n, p);
  const sum = u1 === 0n ? byKey : add(byKey, [...multiplyBase(curve, u1), 1n], p);
  const [x, , z] = sum;
  return z !== 0n && modulo(x * inverse(z * z, p), p) % n === r;
}

/** The bytes of r and s of a signature in DER, as long as the order; undefined for a number that is too long. */
export function joined(type: string, parts: readonly Buffer[]): Buffer | undefined {
  const size = sizeOf(curveOf(type));
  if (parts.length !== 2 || parts.some((part) => part.length > size)) return undefined;
  return Buffer.concat(parts.map((part) => Buffer.concat([Buffer.alloc(size - part.length), part])));
}

/** By OpenSSL. */
function multiplyBase(curve: Curve, scalar: bigint): [bigint, bigint] {
  const ecdh = createECDH(curve.name);
  ecdh.setPrivateKey(toBytes(scalar, sizeOf(curve)));
  const point = ecdh.getPublicKey();
  return [toBigInt(point.subarray(1, 1 + sizeOf(curve))), toBigInt(point.subarray(1 + sizeOf(curve)))];
}

/** Jacobian: x/z², y/z³; z = 0 is the point at infinity. */
type Point = readonly [x: bigint, y: bigint, z: bigint];

function pointOf(key: KeyObject): Point {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return [toBigInt(Buffer.from(x, 'base64url')), toBigInt(Buffer.from(y, 'base64url')), 1n];
}

function multiply(point: Point, scalar: bigint, p: bigint): Point {
  let result: Point = [1n, 1n, 0n];
  for (const bit of scalar.toString(2)) {
    result = double(result, p);
    if (bit === '1') result = add(result, point, p);
  }
  return result;
}

/** With a = -3, as all of these curves have it. */
function double([x, y, z]: Point, p: bigint): Point {
  if (z === 0n || y === 0n) return [1n, 1n, 0n];
  const zz = (z * z) % p;
  const yy = (y * y) % p;
  const s = (4n * x * yy) % p;
  const m = (3n * (x - zz) * (x + zz)) % p;
  const x3 = modulo(m * m - 2n * s, p);
  return [x3, modulo(m * (s - x3) - 8n * yy * yy, p), modulo(2n * y * z, p)];
}

function add(a: Point, b: Point, p: bigint): Point {
  if (a[2] === 0n) return b;
  if (b[2] === 0n) return a;
  const [aa, bb] = [(a[2] * a[2]) % p, (b[2] * b[2]) % p];
  const [u1, u2] = [(a[0] * bb) % p, (b[0] * aa) % p];
  const [s1, s2] = [(a[1] * bb * b[2]) % p, (b[1] * aa * a[2]) % p];
  const [h, r] = [modulo(u2 - u1, p), modulo(s2 - s1, p)];
  if (h === 0n) return r === 0n ? double(a, p) : [1n, 1n, 0n];
  const hh = (h * h) % p;
  const hhh = (h * hh) % p;
  const v = (u1 * hh) % p;
  const x = modulo(r * r - hhh - 2n * v, p);
  return [x, modulo(r * (v - x) - s1 * hhh, p), (h * a[2] * b[2]) % p];
}
