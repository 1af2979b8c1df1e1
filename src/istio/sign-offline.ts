import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import type { Secret } from '../lib/secret.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { type Csr, parseCsr } from '../x509/csr.ts';
import { decryptPrivateKey } from '../x509/encrypted-key.ts';
import type { Issuer } from '../x509/issuer.ts';
import { keyMatches } from '../x509/keys.ts';
import { nameText } from '../x509/name.ts';
import { intermediateSubject, issueIntermediate } from '../x509/templates/intermediate.ts';
import { rootFiles } from './pki-files.ts';

export interface SignOfflineOptions {
  /** Folder with root-cert.pem and the encrypted root-key.pem. */
  readonly folder: string;
  /** Files that `apply` wrote: NAME.csr.pem. */
  readonly requests: readonly string[];
  readonly passphrase: Secret<string>;
  /** Milliseconds. */
  readonly ttl: number;
  readonly now: number;
}

export interface SignedOffline {
  readonly name: string;
  readonly certificate: Certificate;
  readonly file: string;
}

/**
 * Signs requests for intermediates on the machine that has the root, each into NAME.cert.pem beside its request. All are
 * judged before the first is signed. Only name and public key are taken from a request: what the certificate may do is ours
 * to say, path length 0.
 * @throws MeshrootError `no-root`, `wrong-passphrase`, `key-does-not-match`, `bad-request`, `outlives-issuer`
 */
export async function signOffline(options: SignOfflineOptions): Promise<SignedOffline[]> {
  const { requests, ttl, now } = options;
  const judged = await Promise.all(requests.map(readRequest));
  const issuer = await openRoot(options);
  const signed: SignedOffline[] = [];
  for (const { path, csr, name } of judged) {
    const certificate = await issueIntermediate({ issuer, publicKey: csr.publicKey, name, ttl, now });
    const file = join(dirname(path), `${basename(path).replace(/(\.csr)?\.pem$/, '')}.cert.pem`);
    await writeFileAtomic(file, certificate.pem, 0o644);
    signed.push({ name, certificate, file });
  }
  return signed;
}

async function openRoot({ folder, passphrase }: SignOfflineOptions): Promise<Issuer> {
  const certificate = parseCertificate(await textOf(join(folder, rootFiles.certificate), noRoot));
  const keyFile = join(folder, rootFiles.key);
  const { privateKey } = decryptPrivateKey(await textOf(keyFile, noRoot), passphrase, keyFile);
  if (keyMatches(certificate, privateKey)) return { certificate, privateKey };
  throw new MeshrootError(
    'key-does-not-match',
    `${rootFiles.key} is not the key of ${rootFiles.certificate} in ${folder}`,
    { hint: 'put the two files of one root side by side', exit: 1 },
  );
}

async function readRequest(path: string): Promise<{ path: string; csr: Csr; name: string }> {
  const csr = parseCsr(await textOf(path, noRequest));
  const name = csr.subject.find(({ type }) => type === 'L')?.value ?? '';
  const wanted = nameText(intermediateSubject(name));
  if (name === '' || nameText(csr.subject) !== wanted) {
    throw badRequest(path, `is for ${nameText(csr.subject) || 'nobody'}, not for an intermediate of a mesh`);
  }
  if (!csr.signatureValid) throw badRequest(path, 'is not signed by the key that it names');
  return { path, csr, name };
}

async function textOf(path: string, missing: (path: string) => MeshrootError): Promise<string> {
  const file = await readLimitedFile(path);
  if (file === undefined) throw missing(path);
  return file.bytes.toString('utf8');
}

const noRoot = (path: string): MeshrootError =>
  new MeshrootError('no-root', `${path} is missing: there is no root to sign with`, {
    hint: 'name its folder with --dir; a new one: meshroot pki root --encrypt',
  });
const noRequest = (path: string): MeshrootError =>
  new MeshrootError('no-request', `${path} is not there`, {
    hint: 'copy NAME.csr.pem from the machine that ran meshroot apply',
  });
const badRequest = (path: string, why: string): MeshrootError =>
  new MeshrootError('bad-request', `${path} ${why}`, { hint: 'nothing was signed', exit: 1 });
