import { isIP } from 'node:net';
import { MeshrootError } from '../lib/errors.ts';
import { badDer, DerReader } from './der/reader.ts';
import { contextTag, explicitTag, tags } from './der/tags.ts';
import { readAscii, readOid, readText } from './der/values.ts';
import { explicit, oid, sequence, tlv, utf8String } from './der/writer.ts';

/** Subject alternative names by kind; kinds that a mesh does not use (directory names, …) are left out. */
export interface SubjectAltNames {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  /** IPv4 dotted, IPv6 as RFC 5952. */
  readonly ip: readonly string[];
  readonly email: readonly string[];
}

export const noAltNames: SubjectAltNames = { dns: [], uri: [], ip: [], email: [] };

/** Choice numbers of GeneralName (RFC 5280, 4.2.1.6). */
const choice = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

/** A name of a kind that only its identifier tells (RFC 5280, 4.2.1.6, otherName), as UTF-8. */
export interface OtherName {
  readonly oid: string;
  readonly value: string;
}

/** GeneralNames. @throws MeshrootError `bad-alt-name` for text that the name's kind cannot hold */
export function encodeAltNames(names: Partial<SubjectAltNames>, others: readonly OtherName[] = []): Buffer {
  const text = (kind: 'email' | 'dns' | 'uri', values: readonly string[] = []): Buffer[] =>
    values.map((value) => tlv(contextTag(choice[kind]), asciiBytes(kind, value)));
  return sequence(
    ...others.map(({ oid: id, value }) => explicit(0, oid(id), explicit(0, utf8String(value)))),
    ...text('dns', names.dns),
    ...text('uri', names.uri),
    ...(names.ip ?? []).map((ip) => tlv(contextTag(choice.ip), ipBytes(ip))),
    ...text('email', names.email),
  );
}

/** The UTF-8 names among GeneralNames that are of no kind of their own. @throws MeshrootError `bad-der` */
export function decodeOtherNames(bytes: Buffer): OtherName[] {
  const reader = new DerReader(bytes).enter(tags.sequence, 'the alternative names');
  const found: OtherName[] = [];
  while (!reader.done) {
    const node = reader.next(undefined, 'an alternative name');
    if (node.tag !== explicitTag(0)) continue;
    const name = reader.inside(node);
    const id = readOid(name.next(tags.oid, 'the type of a name'));
    const value = name.enter(explicitTag(0), 'the value of a name');
    found.push({ oid: id, value: readText(value.next(tags.utf8String, 'the value of a name')) });
  }
  return found;
}

function asciiBytes(kind: string, value: string): Buffer {
  if (value === '' || /[^\x21-\x7e]/.test(value)) {
    throw new MeshrootError(
      'bad-alt-name',
      `${JSON.stringify(value)} cannot be a ${kind} name of a certificate`,
    );
  }
  return Buffer.from(value, 'latin1');
}

/** Reads GeneralNames. @throws MeshrootError `bad-der` */
export function decodeAltNames(bytes: Buffer): SubjectAltNames {
  const outer = new DerReader(bytes);
  const reader = outer.enter(tags.sequence, 'the alternative names');
  outer.end('the alternative names');
  const found = { dns: [] as string[], uri: [] as string[], ip: [] as string[], email: [] as string[] };
  while (!reader.done) {
    const { tag, content } = reader.next(undefined, 'an alternative name');
    if (tag === contextTag(choice.dns)) found.dns.push(readAscii(content));
    else if (tag === contextTag(choice.uri)) found.uri.push(readAscii(content));
    else if (tag === contextTag(choice.email)) found.email.push(readAscii(content));
    else if (tag === contextTag(choice.ip)) found.ip.push(ipText(content));
  }
  return found;
}

/** 4 or 16 bytes of an address. @throws MeshrootError `bad-alt-name` */
export function ipBytes(ip: string): Buffer {
  if (isIP(ip) === 4) return Buffer.from(ip.split('.').map(Number));
  if (isIP(ip) !== 6 || ip.includes('%')) {
    throw new MeshrootError('bad-alt-name', `${JSON.stringify(ip)} is not an IP address`);
  }
  const [head = '', tail] = canonicalV6(ip).split('::');
  const groups = (part = ''): string[] => (part === '' ? [] : part.split(':'));
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw badDer('an IP address has neither 4 nor 16 bytes');
  return canonicalV6(bytes.toString('hex').replace(/(.{4})(?=.)/g, '$1:'));
}

/** The URL parser writes IPv6 as RFC 5952 wants it, with an embedded IPv4 address in hex. */
const canonicalV6 = (ip: string): string => new URL(`http://[${ip}]`).hostname.slice(1, -1);
