import { X509Certificate } from 'node:crypto';
import { GoMap, type GoStruct, type GoValue } from './template/values.ts';

const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** An answer that is larger holds something else than a bundle. */
const mostCertificates = 100;

/**
 * When the first of the certificates in a secret ends, milliseconds since the epoch: those in its texts, also below `data`
 * of KV version 2, wherever they stand. Undefined when there is none that can be read.
 */
export function certificateEnd(secret: GoStruct): number | undefined {
  const texts = textsIn(secret.fields.get('Data'), 2).filter((text) =>
    text.includes('-----BEGIN CERTIFICATE'),
  );
  const found = texts.flatMap((text) => text.match(pem) ?? []).slice(0, mostCertificates);
  const ends = found.map(endOf).filter((end) => end !== undefined);
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function textsIn(value: GoValue, depth: number): string[] {
  if (typeof value === 'string') return [value];
  return value instanceof GoMap && depth > 0
    ? [...value.entries.values()].flatMap((inner) => textsIn(inner, depth - 1))
    : [];
}

/** Whether it is good is for the verifier of a set to say; here it only must be readable. */
function endOf(text: string): number | undefined {
  try {
    const end = Date.parse(new X509Certificate(text).validTo);
    return Number.isNaN(end) ? undefined : end;
  } catch {
    return undefined;
  }
}
