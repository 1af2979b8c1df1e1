import type { Certificate } from '../../../x509/certificate.ts';
import { DerReader } from '../../../x509/der/reader.ts';
import { readText } from '../../../x509/der/values.ts';
import { readCertificateExtensions } from '../../../x509/read-certificate.ts';
import { refuse } from '../../core/refusal.ts';
import { globMatches } from '../../policy/parameters.ts';

/** The extensions of a certificate by identifier: those that are one ASN.1 string as text, the others empty. */
function extensionTexts({ der }: Certificate): ReadonlyMap<string, string> {
  return new Map(readCertificateExtensions(der).map(({ oid, value }) => [oid, stringOf(value)]));
}

function stringOf(value: Buffer): string {
  try {
    return readText(new DerReader(value).next(undefined, 'the extension'));
  } catch {
    return '';
  }
}

/** @param rules like `1.2.3.4:team-*` @throws Refusal 400 for one that is none */
export function checkExtensionRules(rules: readonly string[]): void {
  const wrong = rules.find((rule) => !/^\d+(\.\d+)+:/.test(rule));
  if (wrong !== undefined) throw refuse(`required_extensions: ${JSON.stringify(wrong)} is not OID:VALUE`);
}

/** Whether the certificate has every extension, with a value that its glob fits. */
export function meetsExtensionRules(rules: readonly string[], certificate: Certificate): boolean {
  if (rules.length === 0) return true;
  const texts = extensionTexts(certificate);
  return rules.every((rule) => {
    const colon = rule.indexOf(':');
    const text = texts.get(rule.slice(0, colon));
    return text !== undefined && globMatches(rule.slice(colon + 1), text);
  });
}

/** What a token tells of the extensions that its role shows; dots would end a name in policy templates. */
export function extensionMetadata(
  oids: readonly string[],
  certificate: Certificate,
): Readonly<Record<string, string>> {
  if (oids.length === 0) return {};
  const texts = extensionTexts(certificate);
  return Object.fromEntries(
    oids.flatMap((oid) => {
      const text = texts.get(oid);
      return text === undefined ? [] : [[oid.replaceAll('.', '-'), text]];
    }),
  );
}
