import { badDer, type DerNode } from './reader.ts';
import { tags } from './tags.ts';

/** Dotted text of an OBJECT IDENTIFIER. */
export function readOid(node: DerNode): string {
  const bytes = node.content;
  if (bytes.length === 0 || bytes.length > 64 || (bytes[bytes.length - 1] ?? 0) >= 0x80) {
    throw badDer('an object identifier is empty, cut off or too long');
  }
  const arcs: number[] = [];
  let value = 0;
  let first = true;
  for (const byte of bytes) {
    if (first && byte === 0x80) throw badDer('an object identifier is not minimal');
    if (value > 0x1fffffffffff) throw badDer('an object identifier has an arc that is too large');
    value = value * 128 + (byte & 0x7f);
    first = byte < 0x80;
    if (!first) continue;
    arcs.push(value);
    value = 0;
  }
  const head = arcs[0] ?? 0;
  const top = Math.min(Math.floor(head / 40), 2);
  return [top, head - top * 40, ...arcs.slice(1)].join('.');
}

/** BOOLEAN: DER knows only 0x00 and 0xff. */
export function readBoolean(node: DerNode): boolean {
  const [value] = node.content;
  if (node.content.length !== 1 || (value !== 0 && value !== 0xff)) throw badDer('a boolean is not 00 or ff');
  return value === 0xff;
}

/** Content of an INTEGER that must not be negative, without the sign byte. At most `maxBytes` long. */
export function readUnsigned(node: DerNode, maxBytes: number, what: string): Buffer {
  const bytes = node.content;
  const [first, second] = bytes;
  if (first === undefined) throw badDer(`${what} is empty`);
  if (first === 0 && second !== undefined && second < 0x80) throw badDer(`${what} is not minimal`);
  if (first >= 0x80) throw badDer(`${what} is negative`);
  const magnitude = first === 0 && second !== undefined ? bytes.subarray(1) : bytes;
  if (magnitude.length > maxBytes) throw badDer(`${what} is longer than ${maxBytes} bytes`);
  return magnitude;
}

/** A small INTEGER (version, path length). */
export function readSmallInteger(node: DerNode, what: string): number {
  return readUnsigned(node, 4, what).readUIntBE(0, readUnsigned(node, 4, what).length);
}

/** Bits of a BIT STRING as bytes, and how many bits of the last byte are unused (they must be zero). */
export function readBitString(node: DerNode, what: string): { bytes: Buffer; unused: number } {
  const unused = node.content[0];
  const bytes = node.content.subarray(1);
  if (unused === undefined || unused > 7 || (bytes.length === 0 && unused > 0)) {
    throw badDer(`${what} is not a bit string`);
  }
  const last = bytes[bytes.length - 1] ?? 0;
  if ((last & ((1 << unused) - 1)) !== 0) throw badDer(`${what} has padding bits that are not zero`);
  return { bytes, unused };
}

/** A BIT STRING of whole bytes: keys and signatures. */
export function readBitBytes(node: DerNode, what: string): Buffer {
  const { bytes, unused } = readBitString(node, what);
  if (unused !== 0) throw badDer(`${what} is not a whole number of bytes`);
  return bytes;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1Strings: readonly number[] = [tags.teletexString];
const asciiStrings: readonly number[] = [tags.printableString, tags.ia5String, 0x12 /* NumericString */];

/** Text of a DirectoryString or IA5String. */
export function readText(node: DerNode): string {
  const { tag, content } = node;
  if (tag === tags.utf8String) return decodeUtf8(content);
  if (latin1Strings.includes(tag)) return content.toString('latin1');
  if (asciiStrings.includes(tag)) return readAscii(content);
  if (tag === tags.bmpString && content.length % 2 === 0)
    return Buffer.from(content).swap16().toString('utf16le');
  throw badDer(`tag 0x${tag.toString(16)} is not a string`);
}

const notAscii = /[\x80-\xff]/;

/** 7-bit text, as in IA5String. */
export function readAscii(content: Buffer): string {
  const text = content.toString('latin1');
  if (notAscii.test(text)) throw badDer('a string of 7-bit characters holds others');
  return text;
}

function decodeUtf8(content: Buffer): string {
  try {
    return utf8.decode(content);
  } catch {
    throw badDer('a string is not UTF-8');
  }
}

/** UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 allows them: seconds present, `Z`, no fraction. In ms. */
export function readTime(node: DerNode): number {
  const text = node.content.toString('latin1');
  const utc = node.tag === tags.utcTime;
  if (!utc && node.tag !== tags.generalizedTime) throw badDer('a time has the tag of something else');
  const match = (
    utc ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(text);
  if (match === null) throw badDer('a time is not of the form that RFC 5280 wants');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const fullYear = utc ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(0);
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const valid =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!valid) throw badDer('a time names a day or an hour that does not exist');
  return date.getTime();
}
