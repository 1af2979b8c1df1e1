import { readFile } from 'node:fs/promises';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { parseCertificate } from '../x509/certificate.ts';
import { keyMatches, parsePrivateKey } from '../x509/keys.ts';

/**
 * A root that exists as files (`root-cert.pem` and `root-key.pem` of Istio's tools/certs), judged before it goes into
 * Vault: certificate and key as one PEM text.
 * @throws MeshrootError `bad-root-import`
 */
export async function rootFiles({ cert, key }: { cert: string; key: string }): Promise<Secret<string>> {
  const [certText, keyText] = await Promise.all([text(cert), text(key)]);
  const certificate = parseCertificate(certText);
  if (!certificate.isCa) throw refuse(`${cert} is not the certificate of a CA`);
  if (!keyMatches(certificate, parsePrivateKey(keyText).privateKey)) {
    throw refuse(`${key} is not the key of ${cert}`);
  }
  return new Secret(`${certificate.pem}${keyText.trim()}\n`);
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw refuse(`${path} cannot be read: ${codeOf(error)}`);
  }
}

const refuse = (message: string): MeshrootError =>
  new MeshrootError('bad-root-import', message, {
    hint: 'root.import in mesh.yaml names cert and key of one CA; nothing was written',
    exit: 1,
  });
