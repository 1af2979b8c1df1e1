import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { days } from '../lib/duration.ts';
import { codeOf, MeshrootError, messageOf } from '../lib/errors.ts';
import { keyMatches } from '../x509/keys.ts';
import { bundleFiles } from './bundle.ts';
import { lintBundleCertificates } from './bundle-lint.ts';
import { type JudgeOptions, refuseFindings } from './ca-file-source.ts';
import { FileSigner, type TrustSet, trustSet } from './ca-signer.ts';

/** A key that lies on a disk for emergencies must not be worth stealing for long. */
const longestLife = days(31);

/**
 * The reserve intermediate: the four files in a folder, the key encrypted (PKCS#8), the passphrase in a file of its own.
 * It must end within 31 days and lead to a root that the mesh already has (`mesh` undefined: not known yet).
 * @throws MeshrootError `reserve-*`, or what is wrong with its certificates
 */
export async function openReserve(
  folder: string,
  passphraseFile: string,
  mesh: TrustSet | undefined,
  options: JudgeOptions,
): Promise<FileSigner> {
  const [key, caCert, certChain, rootCert, passphrase] = await Promise.all([
    ...[bundleFiles.caKey, bundleFiles.caCert, bundleFiles.certChain, bundleFiles.rootCert].map((name) =>
      textOf(join(folder, name)),
    ),
    textOf(passphraseFile),
  ]);
  const bundle = { caCert: caCert ?? '', certChain: certChain ?? '', rootCert: rootCert ?? '' };
  refuseFindings(lintBundleCertificates(bundle, options.clock.now(), options));
  const trust = trustSet(bundle);
  if (trust.certificate.notAfter - options.clock.now() > longestLife)
    throw refused('reserve-too-long', 'the reserve intermediate lives longer than 31 days');
  const known = mesh && new Set(mesh.roots.map(({ fingerprint }) => fingerprint));
  if (known !== undefined && !trust.roots.every(({ fingerprint }) => known.has(fingerprint)))
    throw refused('reserve-other-root', 'the reserve intermediate has a root that the mesh does not have');
  const privateKey = decrypted(key ?? '', passphrase ?? '');
  if (!keyMatches(trust.certificate, privateKey))
    throw refused('key-does-not-match', 'the key of the reserve is not that of its certificate');
  return new FileSigner({ ...trust, privateKey });
}

function decrypted(pem: string, passphrase: string): KeyObject {
  if (!pem.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----'))
    throw refused('reserve-not-encrypted', 'the key of the reserve is not encrypted');
  try {
    return createPrivateKey({ key: pem, passphrase: passphrase.replace(/\r?\n$/, '') });
  } catch {
    throw refused('reserve-locked', 'the passphrase does not open the key of the reserve');
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw refused('reserve-unreadable', `cannot read ${path}: ${codeOf(error) ?? messageOf(error)}`);
  }
}

function refused(code: string, message: string): MeshrootError {
  return new MeshrootError(code, message, {
    exit: 1,
    hint: 'encrypt it with: openssl pkcs8 -topk8 -in ca-key.pem -out ENCRYPTED, and issue it for some days only',
  });
}
