import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { pemBlocks, toPem } from '../../x509/pem.ts';

/** The PEM blocks of a text by what they are. */
export interface PemParts {
  /** The last one that is no CA's; undefined when there is none. */
  readonly certificate: Certificate | undefined;
  /** PEM; empty when there is none. */
  readonly key: string;
  /** CA certificates, each once, in order. */
  readonly authorities: readonly string[];
}

/** @throws MeshrootError `bad-pem` when a certificate cannot be read */
export function pemParts(text: string): PemParts {
  let certificate: Certificate | undefined;
  let key = '';
  const authorities: string[] = [];
  for (const { label, der } of pemBlocks(text)) {
    const pem = toPem(label, der);
    if (label.endsWith('PRIVATE KEY')) key = pem;
    if (label !== 'CERTIFICATE') continue;
    const read = parseCertificate(der);
    if (!read.isCa) certificate = read;
    else if (!authorities.includes(pem)) authorities.push(pem);
  }
  return { certificate, key, authorities };
}
