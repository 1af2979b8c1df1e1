import { contextTag, explicitTag } from './der/tags.ts';
import { oid, sequence, tlv } from './der/writer.ts';
import { extension } from './extensions.ts';
import { extensionOids } from './oids.ts';

/** Extensions that say where to look things up, and what a CA may be used for. None of them is needed by a mesh. */

const ids = {
  authorityInformation: '1.3.6.1.5.5.7.1.1',
  ocsp: '1.3.6.1.5.5.7.48.1',
  caIssuers: '1.3.6.1.5.5.7.48.2',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  freshestCrl: '2.5.29.46',
} as const;

const uri = (url: string): Buffer => tlv(contextTag(6), Buffer.from(url, 'latin1'));

/** Authority information access (RFC 5280, 4.2.2.1). */
export function authorityInformation(issuers: readonly string[], ocsp: readonly string[]): Buffer {
  return extension(
    ids.authorityInformation,
    false,
    sequence(
      ...ocsp.map((url) => sequence(oid(ids.ocsp), uri(url))),
      ...issuers.map((url) => sequence(oid(ids.caIssuers), uri(url))),
    ),
  );
}

/** One distribution point per URL (RFC 5280, 4.2.1.13). */
const points = (urls: readonly string[]): Buffer =>
  sequence(...urls.map((url) => sequence(tlv(explicitTag(0), tlv(explicitTag(0), uri(url))))));

export const crlDistributionPoints = (urls: readonly string[]): Buffer =>
  extension(ids.crlDistributionPoints, false, points(urls));

/** Where the delta of a list is found (RFC 5280, 4.2.1.15 and 5.2.6). */
export const freshestCrl = (urls: readonly string[]): Buffer =>
  extension(ids.freshestCrl, false, points(urls));

/** Policies by their identifiers, without qualifiers (RFC 5280, 4.2.1.4). */
export const certificatePolicies = (policies: readonly string[]): Buffer =>
  extension(ids.certificatePolicies, false, sequence(...policies.map((id) => sequence(oid(id)))));

/** A CA that may only name these DNS domains and what is below them; critical (RFC 5280, 4.2.1.10). */
export const permittedDnsDomains = (domains: readonly string[]): Buffer =>
  extension(
    extensionOids.nameConstraints,
    true,
    sequence(
      tlv(explicitTag(0), ...domains.map((d) => sequence(tlv(contextTag(2), Buffer.from(d, 'latin1'))))),
    ),
  );

/** An extension as it was read, written again. */
export const copiedExtension = (e: {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}): Buffer => extension(e.oid, e.critical, e.value);
