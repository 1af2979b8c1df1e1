import { basename, dirname } from 'node:path';
import { codeOf, MeshrootError, messageOf } from '../../lib/errors.ts';
import { type Certificate, parseCertificate, parseCertificates } from '../../x509/certificate.ts';
import { type KeyPair, parsePrivateKey } from '../../x509/keys.ts';
import type { RawFile, ScanFinding, ScannedFile } from './input.ts';

/** Bytes with their place, wherever they were read: a file, or a key of a Secret. */
export interface Material extends Pick<ScannedFile, 'path' | 'mode' | 'inSecret'> {
  readonly bytes: Buffer;
}

/** The certificates and the key in PEM or DER bytes; what is broken becomes a problem, the rest is taken. */
export function readMaterial({ bytes, ...place }: Material, problems: ScanFinding[]): RawFile {
  const text = bytes[0] === 0x30 ? '' : bytes.toString('utf8');
  const certificates = readCertificates(place.path, bytes, text, problems);
  return { ...place, text, certificates, key: readKey(place.path, text, problems) };
}

function readCertificates(path: string, bytes: Buffer, text: string, problems: ScanFinding[]): Certificate[] {
  const binary = bytes[0] === 0x30;
  if (!binary && !text.includes('-----BEGIN')) {
    if (/\.key$/i.test(path) || bytes.length === 0) return [];
    const message = 'is neither PEM nor DER';
    problems.push({ code: 'bad-certificate', message, hint: 'take it out, or write it anew', file: path });
    return [];
  }
  try {
    return binary ? [parseCertificate(bytes)] : parseCertificates(text);
  } catch (error) {
    problems.push({ ...problemAt(path, error), code: 'bad-certificate' });
    return [];
  }
}

function readKey(path: string, text: string, problems: ScanFinding[]): KeyPair | undefined {
  if (!text.includes('PRIVATE KEY-----')) return undefined;
  try {
    return parsePrivateKey(text);
  } catch (error) {
    problems.push(problemAt(path, error));
    return undefined;
  }
}

/** The finding for what could not be read there. */
export function problemAt(file: string, error: unknown): ScanFinding {
  if (error instanceof MeshrootError) {
    const { code, message, hint } = error;
    return { code, message, file, ...(hint === undefined ? {} : { hint }) };
  }
  const message = `${basename(file)} in ${dirname(file)} cannot be read (${codeOf(error) ?? messageOf(error)})`;
  return { code: 'file-unreadable', message, hint: 'scan as a user who may read it', file };
}
