import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../lib/atomic-file.ts';
import { MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import type { Secret } from '../lib/secret.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { encryptPrivateKey } from '../x509/encrypted-key.ts';
import type { Issuer } from '../x509/issuer.ts';
import { generateKeyPair, type KeyType, keyMatches, parsePrivateKey, privateKeyPem } from '../x509/keys.ts';
import { issueIntermediate } from '../x509/templates/intermediate.ts';
import { createRoot } from '../x509/templates/root.ts';
import { clampNotAfter } from '../x509/validity-rule.ts';
import type { IstioBundle } from './bundle.ts';
import { bundleFilesIn, writeBundleFiles } from './bundle-files.ts';
import { judgeBundle } from './bundle-lint.ts';

/** The names that `make root-ca` of Istio's tools/certs gives. */
export const rootFiles = { key: 'root-key.pem', certificate: 'root-cert.pem' } as const;

export interface CaOnDisk {
  readonly certificate: Certificate;
  readonly keyType: KeyType;
  readonly files: readonly string[];
}

export interface CreateOptions {
  readonly folder: string;
  readonly keyType: KeyType;
  /** In ms; undefined = ten years, for an intermediate no longer than what its root has left. */
  readonly ttl: number | undefined;
  readonly now: number;
}

export interface CreateRootOptions extends CreateOptions {
  /** Protects root-key.pem; in clear without one, as the Makefile leaves it. */
  readonly passphrase?: Secret<string> | undefined;
}

const defaultTtl = 3650 * 86_400_000;

/**
 * Writes root-key.pem and root-cert.pem into the folder, the key first so that a crash leaves no certificate without one.
 * @throws MeshrootError `pki-exists`: a root is never overwritten
 */
export async function createRootFiles({
  folder,
  keyType,
  ttl = defaultTtl,
  now,
  passphrase,
}: CreateRootOptions): Promise<CaOnDisk> {
  const paths = { key: join(folder, rootFiles.key), certificate: join(folder, rootFiles.certificate) };
  for (const path of Object.values(paths)) {
    if (!(await exists(path))) continue;
    throw new MeshrootError('pki-exists', `${path} is there already, and a root is never overwritten`, {
      hint: 'choose another --dir, or move the old root away (what it signed stays valid until it ends)',
      exit: 1,
    });
  }
  const key = await generateKeyPair(keyType);
  const certificate = await createRoot({ key, ttl, now });
  await mkdir(folder, { recursive: true });
  const pem =
    passphrase === undefined
      ? privateKeyPem(key.privateKey).reveal()
      : await encryptPrivateKey(key.privateKey, passphrase);
  await writeFileAtomic(paths.key, pem, 0o600);
  await writeFileAtomic(paths.certificate, certificate.pem, 0o644);
  await syncFolder(folder);
  return { certificate, keyType, files: Object.values(paths) };
}

export interface IntermediateOptions extends CreateOptions {
  readonly name: string;
  /** Replace what is there, with a new key. */
  readonly renew: boolean;
}

export interface IntermediateOnDisk extends CaOnDisk {
  readonly root: Certificate;
  /** Replaced an older set. */
  readonly renewed: boolean;
}

/**
 * Writes FOLDER/NAME/{ca-key,ca-cert,cert-chain,root-cert}.pem, signed by the root of FOLDER, as `make NAME-cacerts`.
 * @throws MeshrootError `bad-name`, `no-root`, `pki-exists`, `outlives-issuer`, `issuer-expired`, `key-does-not-match`
 */
export async function createIntermediateFiles(options: IntermediateOptions): Promise<IntermediateOnDisk> {
  const { folder, name, keyType, now, renew } = options;
  const target = join(folder, requireName(name));
  const found = await bundleFilesIn(target);
  if (found.length > 0 && !renew) throw alreadyThere(target, found, options);
  const root = await readRoot(folder);
  const ttl = options.ttl ?? clampNotAfter(now + defaultTtl, root.certificate) - now;
  const key = await generateKeyPair(keyType);
  const certificate = await issueIntermediate({ issuer: root, publicKey: key.publicKey, name, ttl, now });
  const bundle: IstioBundle = {
    caKey: privateKeyPem(key.privateKey),
    caCert: certificate.pem,
    certChain: certificate.pem + root.certificate.pem,
    rootCert: root.certificate.pem,
  };
  requireFit(bundle, now);
  await writeBundleFiles(target, bundle);
  const files = (await bundleFilesIn(target)).map((file) => join(target, file));
  return { certificate, keyType, files, root: root.certificate, renewed: found.length > 0 };
}

/** NAME is a folder, a file of a Makefile target and the L= of a subject (at most 128 characters, RFC 5280 A.1). */
function requireName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return name;
  throw new MeshrootError('bad-name', `${JSON.stringify(name)} cannot name an intermediate`, {
    hint: 'use letters, digits, dots, dashes and underscores, at most 63, and begin with a letter or digit',
  });
}

function alreadyThere(
  target: string,
  found: readonly string[],
  { name, folder }: IntermediateOptions,
): MeshrootError {
  const dir = folder === '.' ? '' : ` --dir ${folder}`;
  return new MeshrootError('pki-exists', `${target} already holds ${found.join(', ')}`, {
    hint: `to replace the set, with a new key: meshroot pki intermediate ${name} --renew${dir}`,
    exit: 1,
  });
}

/** The root of a folder that `meshroot pki root` or the Makefile wrote. */
async function readRoot(folder: string): Promise<Issuer> {
  const [keyFile, certificateFile] = await Promise.all([
    readLimitedFile(join(folder, rootFiles.key)),
    readLimitedFile(join(folder, rootFiles.certificate)),
  ]);
  if (keyFile === undefined || certificateFile === undefined) {
    const missing = keyFile === undefined ? rootFiles.key : rootFiles.certificate;
    throw new MeshrootError('no-root', `${join(folder, missing)} is missing: there is no root to sign with`, {
      hint: `make one: meshroot pki root${folder === '.' ? '' : ` --dir ${folder}`}`,
    });
  }
  const certificate = parseCertificate(certificateFile.bytes);
  const { privateKey } = parsePrivateKey(keyFile.bytes.toString('utf8'));
  if (keyMatches(certificate, privateKey)) return { certificate, privateKey };
  throw new MeshrootError(
    'key-does-not-match',
    `${rootFiles.key} is not the key of ${rootFiles.certificate} in ${folder}`,
    {
      hint: 'put the two files of one root side by side',
      exit: 1,
    },
  );
}

/** Our own output is judged as a stranger's would be, before anything is replaced. */
function requireFit(bundle: IstioBundle, now: number): void {
  const [finding] = judgeBundle(bundle, now);
  if (finding === undefined) return;
  throw new MeshrootError(finding.code, `nothing was written: ${finding.message}`, {
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
    exit: 1,
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
