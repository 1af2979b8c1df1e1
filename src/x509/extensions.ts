import { encodeAltNames, type OtherName, type SubjectAltNames } from './alt-names.ts';
import { contextTag } from './der/tags.ts';
import { boolean, explicit, namedBits, octetString, oid, sequence, smallInteger, tlv } from './der/writer.ts';
import { extensionOids, type KeyUsage, keyUsages, purposeOids } from './oids.ts';

/** Encoders of the extensions that we write; each returns one whole Extension (RFC 5280, 4.1). */

/** Any extension, by its identifier. */
export function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical
    ? sequence(oid(id), boolean(true), octetString(value))
    : sequence(oid(id), octetString(value));
}

/** Critical, as RFC 5280 4.2.1.9 wants for a CA and istiod writes for leaves too. */
export function basicConstraints(ca: boolean, pathLength?: number): Buffer {
  const parts = ca ? [boolean(true)] : []; // FALSE is the default, and DER leaves defaults out
  if (pathLength !== undefined) parts.push(smallInteger(pathLength));
  return extension(extensionOids.basicConstraints, true, sequence(...parts));
}

export function keyUsage(...usages: readonly KeyUsage[]): Buffer {
  return extension(extensionOids.keyUsage, true, namedBits(usages.map((usage) => keyUsages.indexOf(usage))));
}

/** @param purposes names of {@link purposeOids} */
export function extendedKeyUsage(...purposes: readonly string[]): Buffer {
  const ids = purposes.map((purpose) => oid(purposeOids[purpose] ?? purpose));
  return extension(extensionOids.extendedKeyUsage, false, sequence(...ids));
}

export function subjectAltName(
  names: Partial<SubjectAltNames>,
  critical: boolean,
  others: readonly OtherName[] = [],
): Buffer {
  return extension(extensionOids.subjectAltName, critical, encodeAltNames(names, others));
}

export function subjectKeyId(id: Buffer): Buffer {
  return extension(extensionOids.subjectKeyId, false, octetString(id));
}

/** Only the key identifier form, as Go and OpenSSL 3 write it. */
export function authorityKeyId(id: Buffer): Buffer {
  return extension(extensionOids.authorityKeyId, false, sequence(tlv(contextTag(0), id)));
}

/** The block `[3] EXPLICIT Extensions` of a certificate. */
export const extensionBlock = (extensions: readonly Buffer[]): Buffer => explicit(3, sequence(...extensions));
