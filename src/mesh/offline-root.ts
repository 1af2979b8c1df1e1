import { readLimitedFile } from '../lib/limited-file.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';

/** The certificate of a root whose key is on another machine, or undefined while there is none. @throws MeshrootError */
export async function offlineRoot(path: string): Promise<Certificate | undefined> {
  const file = await readLimitedFile(path);
  return file === undefined ? undefined : parseCertificate(file.bytes);
}
