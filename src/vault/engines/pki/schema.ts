import type { Certificate } from '../../../x509/certificate.ts';
import type { KeyType } from '../../../x509/keys.ts';
import type { Name, NameAttribute } from '../../../x509/name.ts';
import { type Fields, listOf, numberOf, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';

export const subjectSchema: Schema = {
  common_name: 'string',
  organization: 'list',
  ou: 'list',
  country: 'list',
  locality: 'list',
  province: 'list',
  alt_names: 'list',
  ip_sans: 'list',
  uri_sans: 'list',
  exclude_cn_from_sans: 'bool',
  format: 'string',
  ttl: 'seconds',
  not_after: 'string',
  max_path_length: 'int',
};

export const rootSchema: Schema = {
  ...subjectSchema,
  key_type: 'string',
  key_bits: 'int',
  issuer_name: 'string',
  key_name: 'string',
};

/** The order in which Go writes a subject. */
const attributes = [
  ['country', 'C'],
  ['organization', 'O'],
  ['ou', 'OU'],
  ['locality', 'L'],
  ['province', 'ST'],
] as const;

export function subjectOf(fields: Fields): Name {
  const parts: NameAttribute[] = attributes.flatMap(([field, type]) =>
    listOf(fields, field).map((value) => ({ type, value })),
  );
  const commonName = textOf(fields, 'common_name');
  return commonName === '' ? parts : [...parts, { type: 'CN', value: commonName }];
}

const keyTypes: Readonly<Record<string, KeyType>> = {
  'rsa-0': 'rsa-2048',
  'rsa-2048': 'rsa-2048',
  'rsa-3072': 'rsa-3072',
  'rsa-4096': 'rsa-4096',
  'ec-0': 'ec-p256',
  'ec-256': 'ec-p256',
  'ec-384': 'ec-p384',
  'ec-521': 'ec-p521',
  'ed25519-0': 'ed25519',
};

/** @throws Refusal 400 */
export function keyTypeOf(fields: Fields): KeyType {
  const kind = textOf(fields, 'key_type', 'rsa') || 'rsa';
  const wanted = `${kind}-${kind === 'ed25519' ? 0 : numberOf(fields, 'key_bits')}`;
  const found = Object.hasOwn(keyTypes, wanted) ? keyTypes[wanted] : undefined;
  if (found === undefined) throw refuse(`unsupported key type or bits: ${wanted}`);
  return found;
}

/** `a1:b2:…` */
export const colonHex = (serial: string): string => {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  return (even.match(/../g) ?? []).join(':');
};

export const plainHex = (serial: string): string => serial.replace(/[:-]/g, '').toLowerCase();

/** PEM as the API gives it: without the last line break. */
export const trimmed = (certificate: Pick<Certificate, 'pem'>): string => certificate.pem.trimEnd();

/** `pem` (also for `pem_bundle`) or base64 `der`. @throws Refusal 400 */
export function formatted(certificate: Certificate, format: string): string {
  if (format === 'der') return certificate.der.toString('base64');
  if (['', 'pem', 'pem_bundle'].includes(format)) return trimmed(certificate);
  throw refuse('the "format" path parameter must be "pem", "der", or "pem_bundle"');
}
