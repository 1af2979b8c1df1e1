import { basename } from 'node:path';
import type { Certificate } from '../../x509/certificate.ts';
import type { ScannedFile } from './input.ts';

export interface Found {
  readonly certificate: Certificate;
  /** The file that says most about it. */
  readonly file: string;
  readonly alsoIn: readonly string[];
}

/** Where people look first. */
const telling = ['ca-cert.pem', 'tls.crt', 'root-cert.pem', 'ca.crt'];

/** Every different certificate once, in the order of the files. */
export function foundCertificates(files: readonly ScannedFile[]): Found[] {
  const places = new Map<string, { certificate: Certificate; paths: string[] }>();
  for (const { path, certificates } of files) {
    for (const certificate of certificates) {
      const entry = places.get(certificate.fingerprint) ?? { certificate, paths: [] };
      if (!entry.paths.includes(path)) entry.paths.push(path);
      places.set(certificate.fingerprint, entry);
    }
  }
  return [...places.values()].map(({ certificate, paths }) => {
    const [file = '', ...alsoIn] = paths.sort((a, b) => rank(a) - rank(b));
    return { certificate, file, alsoIn };
  });
}

function rank(path: string): number {
  const place = telling.indexOf(basename(path));
  return place === -1 ? telling.length : place;
}
