import type { Certificate } from './certificate.ts';
import { nameText } from './name.ts';

/** A name for people: the subject, else the first alternative name, else the serial number. */
export function describeCertificate({ subject, sans, serial }: Certificate): string {
  const text = nameText(subject);
  if (text !== '' && subject.some(({ value }) => value !== '')) return text;
  const name = sans.uri[0] ?? sans.dns[0] ?? sans.ip[0] ?? sans.email[0] ?? `serial ${serial}`;
  return name.replace(/\p{Cc}/gu, '?');
}
