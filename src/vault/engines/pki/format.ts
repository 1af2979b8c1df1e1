import type { KeyObject } from 'node:crypto';
import type { Certificate } from '../../../x509/certificate.ts';
import { privateKeyPem } from '../../../x509/keys.ts';
import { pemBlocks } from '../../../x509/pem.ts';
import { type Fields, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';

/** `a1:b2:…` */
export const colonHex = (serial: string): string => {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  return (even.match(/../g) ?? []).join(':');
};

/** Lower-case hex of a serial as people write it; characters that are no hex make it one that nothing has. */
export const plainHex = (serial: string): string => {
  const hex = serial.replace(/[:-]/g, '').toLowerCase();
  return /^[0-9a-f]{1,42}$/.test(hex) ? hex : 'none';
};

export type Format = 'pem' | 'der' | 'pem_bundle';

/** @throws Refusal 400 */
export function formatOf(fields: Fields): Format {
  const format = textOf(fields, 'format') || 'pem';
  if (format === 'pem' || format === 'der' || format === 'pem_bundle') return format;
  throw refuse('the "format" path parameter must be "pem", "der", or "pem_bundle"');
}

/** PEM as the API gives it: without the last line break. */
export const trimmed = (certificate: Pick<Certificate, 'pem'>): string => certificate.pem.slice(0, -1);

/** A PEM text in the format asked for. */
export function inFormat(pem: string, format: Format): string {
  if (format !== 'der') return pem.trimEnd();
  return (pemBlocks(pem)[0]?.der ?? Buffer.alloc(0)).toString('base64');
}

/** `private_key` and `private_key_type` of an answer. PKCS#1 or SEC 1 unless `private_key_format` is `pkcs8`. */
export function privateKeyFields(key: KeyObject, fields: Fields, format: Format): Fields {
  const form = textOf(fields, 'private_key_format') === 'pkcs8' ? 'pkcs8' : 'traditional';
  return {
    private_key: inFormat(privateKeyPem(key, form).reveal(), format),
    private_key_type: key.asymmetricKeyType ?? '',
  };
}

/** Go's RFC3339Nano, UTC. */
export const goTime = (ms: number): string => new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');

/** What an answer says about a key whose mount has no URLs to write into certificates. */
export const noUrlsWarning =
  "This mount hasn't configured any authority information access (AIA) fields; this may make it harder for systems to find missing certificates in the chain or to validate revocation status of certificates. Consider updating /config/urls or the newly generated issuer with this information.";

export const noSubjectWarning =
  'This issuer certificate was generated without a Subject; this makes it likely that issuing leaf certs with this certificate will cause TLS validation libraries to reject this certificate.';

/** `warnings` only when there are any. */
export const withWarnings = (warnings: readonly string[]): { readonly warnings?: readonly string[] } =>
  warnings.length === 0 ? {} : { warnings };
