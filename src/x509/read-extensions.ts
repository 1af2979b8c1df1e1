import { decodeAltNames, noAltNames, type SubjectAltNames } from './alt-names.ts';
import { badDer, DerReader } from './der/reader.ts';
import { contextTag, tags } from './der/tags.ts';
import { readBitString, readBoolean, readOid, readSmallInteger } from './der/values.ts';
import { decodeNameConstraints, type NameConstraints } from './name-constraints.ts';
import { extensionOids, type KeyUsage, keyUsages, purposeNames } from './oids.ts';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

export interface KnownExtensions {
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** `serverAuth`, `clientAuth`, … or dotted object identifiers. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly sans: SubjectAltNames;
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  readonly nameConstraints: NameConstraints | undefined;
  /** Critical extensions that we do not understand: a verifier must refuse the certificate (RFC 5280, 4.2). */
  readonly unknownCritical: readonly string[];
}

/** The list inside `Extensions`. @throws MeshrootError `bad-der`, also when one occurs twice */
export function readExtensions(reader: DerReader): Extension[] {
  const found: Extension[] = [];
  while (!reader.done) {
    const one = reader.enter(tags.sequence, 'an extension');
    const oid = readOid(one.next(tags.oid, 'the type of an extension'));
    const flag = one.optional(tags.boolean, 'the critical flag of an extension');
    const value = one.next(tags.octetString, 'the value of an extension').content;
    one.end('an extension');
    if (found.some((other) => other.oid === oid)) throw badDer(`extension ${oid} occurs twice`);
    found.push({ oid, critical: flag !== undefined && readBoolean(flag), value });
  }
  return found;
}

const understood = new Set<string>(Object.values(extensionOids));

/** What the extensions say. @throws MeshrootError `bad-der` when a known one is malformed */
export function knownExtensions(extensions: readonly Extension[]): KnownExtensions {
  const value = (id: string): Buffer | undefined => extensions.find(({ oid }) => oid === id)?.value;
  const read = <T>(id: string, decode: (bytes: Buffer) => T): T | undefined => {
    const bytes = value(id);
    return bytes === undefined ? undefined : decode(bytes);
  };
  const constraints = read(extensionOids.basicConstraints, decodeBasicConstraints);
  return {
    isCa: constraints?.isCa ?? false,
    pathLength: constraints?.pathLength,
    keyUsage: read(extensionOids.keyUsage, decodeKeyUsage),
    extendedKeyUsage: read(extensionOids.extendedKeyUsage, decodePurposes),
    sans: read(extensionOids.subjectAltName, decodeAltNames) ?? noAltNames,
    subjectKeyId: read(extensionOids.subjectKeyId, decodeSubjectKeyId),
    authorityKeyId: read(extensionOids.authorityKeyId, decodeAuthorityKeyId),
    nameConstraints: read(extensionOids.nameConstraints, decodeNameConstraints),
    unknownCritical: extensions.filter((e) => e.critical && !understood.has(e.oid)).map((e) => e.oid),
  };
}

function only(bytes: Buffer, what: string): DerReader {
  const outer = new DerReader(bytes);
  const inner = outer.enter(tags.sequence, what);
  outer.end(what);
  return inner;
}

function decodeBasicConstraints(bytes: Buffer): { isCa: boolean; pathLength: number | undefined } {
  const reader = only(bytes, 'basic constraints');
  const ca = reader.optional(tags.boolean, 'the CA flag');
  const length = reader.optional(tags.integer, 'the path length');
  reader.end('basic constraints');
  return {
    isCa: ca !== undefined && readBoolean(ca), // an explicit FALSE is not DER, but OpenSSL and Go take it
    pathLength: length === undefined ? undefined : readSmallInteger(length, 'the path length'),
  };
}

function decodeKeyUsage(bytes: Buffer): ReadonlySet<KeyUsage> {
  const reader = new DerReader(bytes);
  const bits = readBitString(reader.next(tags.bitString, 'the key usage'), 'the key usage').bytes;
  reader.end('the key usage');
  return new Set(keyUsages.filter((_, bit) => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0));
}

function decodePurposes(bytes: Buffer): string[] {
  const reader = only(bytes, 'the extended key usage');
  const purposes: string[] = [];
  while (!reader.done) {
    const id = readOid(reader.next(tags.oid, 'an extended key usage'));
    purposes.push(purposeNames.get(id) ?? id);
  }
  return purposes;
}

function decodeSubjectKeyId(bytes: Buffer): string {
  const reader = new DerReader(bytes);
  const id = reader.next(tags.octetString, 'the subject key id').content.toString('hex');
  reader.end('the subject key id');
  return id;
}

function decodeAuthorityKeyId(bytes: Buffer): string | undefined {
  return only(bytes, 'the authority key id')
    .optional(contextTag(0), 'the authority key id')
    ?.content.toString('hex');
}
