import { MeshrootError } from '../lib/errors.ts';
import { type DerNode, DerReader } from './der/reader.ts';
import { tags } from './der/tags.ts';
import { readOid, readText } from './der/values.ts';
import { oid, sequence, setOf, tlv, utf8String } from './der/writer.ts';
import { attributeNames, attributeOids } from './oids.ts';

export interface NameAttribute {
  /** `CN`, `O`, `OU`, `L`, `ST`, `C`, … or a dotted object identifier. */
  readonly type: string;
  readonly value: string;
}

/** A distinguished name in the order of its encoding; relative names of several values are laid flat. */
export type Name = readonly NameAttribute[];

/** The order in which Go's `pkix.Name` prints attributes, so that our log lines read as istiod's. */
const printOrder = ['SERIALNUMBER', 'CN', 'OU', 'O', 'POSTALCODE', 'STREET', 'L', 'ST', 'C'];

/** `CN=Intermediate CA,O=Istio,L=cluster1`, escaped as RFC 2253 wants, in Go's order. */
export function nameText(name: Name): string {
  const rank = ({ type }: NameAttribute): number => {
    const place = printOrder.indexOf(type);
    return place === -1 ? printOrder.length : place;
  };
  const sorted = [...name].sort((a, b) => rank(a) - rank(b));
  return sorted.map(({ type, value }) => `${type}=${escapeValue(value)}`).join(',');
}

/** Control characters become `\1B` (RFC 4514, 2.4): a certificate must not be able to steer a terminal. */
function escapeValue(value: string): string {
  return value
    .replace(/[,+"\\<>;]|^[ #]| $/g, (found) => `\\${found}`)
    .replace(/[\p{Cc}\p{Cf}]/gu, (found) => `\\${Buffer.from(found).toString('hex').toUpperCase()}`);
}

/**
 * Name of `/O=Istio/CN=Root CA` (as `openssl -subj`, `\/` for a slash in a value); `` and `/` are the empty name.
 * @throws MeshrootError `bad-name`
 */
export function parseName(text: string): Name {
  if (text === '' || text === '/') return [];
  if (!text.startsWith('/')) throw badName(text, 'it must begin with a slash');
  return text
    .slice(1)
    .split(/(?<!\\)\//)
    .map((part) => parseAttribute(part.replaceAll('\\/', '/'), text));
}

function parseAttribute(part: string, whole: string): NameAttribute {
  const [, type = '', value = ''] = /^([A-Za-z]+|\d+(?:\.\d+)+)=(.*)$/s.exec(part) ?? [];
  const known = /^[0-2]\.\d/.test(type) ? type : type.toUpperCase();
  if (type === '' || (attributeOids[known] === undefined && !/^[0-2]\./.test(known))) {
    throw badName(whole, `"${part}" is not TYPE=VALUE with a known type`);
  }
  return { type: known, value };
}

function badName(text: string, why: string): MeshrootError {
  return new MeshrootError('bad-name', `"${text}" is not a distinguished name: ${why}`, {
    hint: 'write it as /O=Istio/CN=Root CA',
  });
}

/** DER of a name: one relative name per attribute. C and SERIALNUMBER are PrintableString, DC IA5String, the rest UTF-8. */
export function encodeName(name: Name): Buffer {
  return sequence(...name.map((attribute) => setOf(sequence(...encodeAttribute(attribute)))));
}

function encodeAttribute({ type, value }: NameAttribute): Buffer[] {
  const id = oid(attributeOids[type] ?? type);
  if (type === 'C' || type === 'SERIALNUMBER') {
    return [id, tlv(tags.printableString, Buffer.from(value, 'latin1'))];
  }
  return [id, type === 'DC' ? tlv(tags.ia5String, Buffer.from(value, 'latin1')) : utf8String(value)];
}

/** @throws MeshrootError `bad-der` */
export function decodeName(node: DerNode): Name {
  const attributes: NameAttribute[] = [];
  const names = new DerReader(node.content);
  while (!names.done) {
    const relative = names.enter(tags.set, 'a relative name');
    do attributes.push(decodeAttribute(relative.enter(tags.sequence, 'a name attribute')));
    while (!relative.done);
  }
  return attributes;
}

function decodeAttribute(reader: DerReader): NameAttribute {
  const id = readOid(reader.next(tags.oid, 'the type of a name attribute'));
  const value = readText(reader.next(undefined, 'the value of a name attribute'));
  reader.end('a name attribute');
  return { type: attributeNames.get(id) ?? id, value };
}
