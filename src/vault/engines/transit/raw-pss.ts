import {
  constants,
  createHash,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  timingSafeEqual,
} from 'node:crypto';
import type { Random } from '../../core/barrier.ts';

/** RSASSA-PSS over a digest that somebody else made (RFC 8017, 8.1 and 9.1): the runtime signs only what it has hashed itself. */
export interface PssOptions {
  readonly digest: string;
  /** Bytes of the salt; undefined: the most there is room for, and any when it is verified. */
  readonly saltLength: number | undefined;
}

const trailer = 0xbc;
const raw = { padding: constants.RSA_NO_PADDING } as const;
const sizeOf = (key: KeyObject): number => (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;

/** The longest salt for a key and a digest of `hashBytes`. */
export const maxSalt = (key: KeyObject, hashBytes: number): number => sizeOf(key) - hashBytes - 2;

/** `hashed` must have the digest's length, the salt must fit. */
export function signPss(key: KeyObject, hashed: Buffer, o: PssOptions, random: Random): Buffer {
  const salt = random(o.saltLength ?? maxSalt(key, hashed.length));
  const hash = inner(o.digest, hashed, salt);
  const room = sizeOf(key) - hash.length - 1;
  const block = Buffer.concat([Buffer.alloc(room - salt.length - 1), Buffer.from([1]), salt]);
  const masked = xor(block, mask(o.digest, hash, room));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return privateEncrypt({ key, ...raw }, Buffer.concat([masked, hash, Buffer.from([trailer])]));
}

/** False, too, for what is no signature. */
export function verifyPss(key: KeyObject, hashed: Buffer, signature: Buffer, o: PssOptions): boolean {
  if (signature.length !== sizeOf(key)) return false;
  const encoded = publicDecrypt({ key, ...raw }, signature);
  const room = sizeOf(key) - hashed.length - 1;
  const [masked, hash] = [encoded.subarray(0, room), encoded.subarray(room, -1)];
  if (encoded.at(-1) !== trailer || ((masked[0] ?? 0) & 0x80) !== 0) return false;
  const block = xor(masked, mask(o.digest, hash, room));
  block[0] = (block[0] ?? 0) & 0x7f;
  const one = block.findIndex((byte) => byte !== 0);
  if (one === -1 || block[one] !== 1) return false;
  const salt = block.subarray(one + 1);
  if (o.saltLength !== undefined && salt.length !== o.saltLength) return false;
  return timingSafeEqual(inner(o.digest, hashed, salt), hash);
}

const inner = (digest: string, hashed: Buffer, salt: Buffer): Buffer =>
  createHash(digest).update(Buffer.alloc(8)).update(hashed).update(salt).digest();

/** MGF1. */
function mask(digest: string, seed: Buffer, size: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0, made = 0; made < size; i++) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(i);
    const block = createHash(digest).update(seed).update(counter).digest();
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, size);
}

const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
