import { MeshrootError } from '../../lib/errors.ts';
import { explicitTag, tags } from './tags.ts';

/** One element: identifier octet, minimal length, content (X.690, 10.1). */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const more = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  const bytes = Buffer.allocUnsafe(2 + more + length);
  bytes[0] = tag;
  bytes[1] = more === 0 ? length : 0x80 | more;
  if (more > 0) bytes.writeUIntBE(length, 2, more);
  let at = 2 + more;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(tags.sequence, ...parts);
export const explicit = (n: number, ...parts: readonly Uint8Array[]): Buffer => tlv(explicitTag(n), ...parts);
export const octetString = (bytes: Uint8Array): Buffer => tlv(tags.octetString, bytes);
export const boolean = (value: boolean): Buffer => tlv(tags.boolean, Buffer.from([value ? 0xff : 0]));
export const utf8String = (text: string): Buffer => tlv(tags.utf8String, Buffer.from(text, 'utf8'));
export const nullValue: Buffer = tlv(tags.null);

/** SET OF: DER wants the elements in ascending order of their encodings. */
export function setOf(...parts: readonly Buffer[]): Buffer {
  return tlv(tags.set, ...[...parts].sort(Buffer.compare));
}

/** A non-negative INTEGER from its big-endian magnitude. */
export function unsigned(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const bytes = magnitude.subarray(start);
  return (bytes[0] ?? 0) >= 0x80 || bytes.length === 0
    ? tlv(tags.integer, Buffer.from([0]), bytes)
    : tlv(tags.integer, bytes);
}

export const smallInteger = (value: number): Buffer =>
  unsigned(Buffer.from(value.toString(16).padStart(8, '0'), 'hex'));

/** BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array): Buffer => tlv(tags.bitString, Buffer.from([0]), bytes);

/** Named BIT STRING: bit 0 is the highest; trailing zero bits are dropped (X.690, 11.2.2). */
export function namedBits(bits: readonly number[]): Buffer {
  const highest = Math.max(-1, ...bits);
  const bytes = Buffer.alloc(Math.floor(highest / 8) + 1);
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  const unused = highest < 0 ? 0 : 7 - (highest & 7);
  return tlv(tags.bitString, Buffer.from([unused]), bytes);
}

/** OBJECT IDENTIFIER from its dotted text, which is one of our own constants or was read from DER. */
export function oid(dotted: string): Buffer {
  const known = encodedOids.get(dotted);
  if (known !== undefined) return known;
  const [top = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const made = tlv(tags.oid, Buffer.from([top * 40 + second, ...rest].flatMap(base128)));
  if (encodedOids.size < 256) encodedOids.set(dotted, made);
  return made;
}

/** The few that we write are the same in every certificate. */
const encodedOids = new Map<string, Buffer>();

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

/** The last second that a certificate can name (RFC 5280, 4.1.2.5). */
const lastTime = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5). Milliseconds are cut off.
 * @throws MeshrootError `bad-time` outside the years 1900 to 9999
 */
export function time(ms: number): Buffer {
  const second = Math.floor(ms / 1000);
  const known = encodedTimes.get(second);
  if (known !== undefined) return known;
  const made = encodeTime(ms);
  if (encodedTimes.size >= 64) encodedTimes.clear();
  encodedTimes.set(second, made);
  return made;
}

/** Certificates of one second share their times. */
const encodedTimes = new Map<number, Buffer>();

function encodeTime(ms: number): Buffer {
  if (!(ms >= Date.UTC(1900, 0) && ms <= lastTime)) {
    throw new MeshrootError('bad-time', 'a certificate can only name times from the year 1900 to 9999', {
      hint: 'ask for a shorter ttl',
    });
  }
  const text = `${new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
  const year = Number(text.slice(0, 4));
  if (year >= 1950 && year < 2050) return tlv(tags.utcTime, Buffer.from(text.slice(2), 'latin1'));
  return tlv(tags.generalizedTime, Buffer.from(text, 'latin1'));
}
