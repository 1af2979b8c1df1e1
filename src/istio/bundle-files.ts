import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../lib/atomic-file.ts';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import { Secret } from '../lib/secret.ts';
import { type BundlePart, bundleFiles, bundleParts, type IstioBundle } from './bundle.ts';

/** A set that has been written whole but not moved into its place; whoever finds it reads it instead of the old one. */
const committedName = '.meshroot-next';

export interface BundleOnDisk {
  readonly bundle: IstioBundle;
  /** Permission bits of ca-key.pem. */
  readonly keyMode: number;
}

/**
 * Reads the four files as one set, also when a writer was stopped between two of its renames.
 * @throws MeshrootError `bundle-incomplete`, `file-too-large`, `file-unreadable`
 */
export async function readBundleFiles(folder: string): Promise<BundleOnDisk> {
  const key = await readPart(folder, 'caKey');
  const [caCert, certChain, rootCert] = await Promise.all([
    readPart(folder, 'caCert'),
    readPart(folder, 'certChain'),
    readPart(folder, 'rootCert'),
  ]);
  return {
    bundle: {
      caKey: new Secret(key.text),
      caCert: caCert.text,
      certChain: certChain.text,
      rootCert: rootCert.text,
    },
    keyMode: key.mode,
  };
}

async function readPart(folder: string, part: BundlePart): Promise<{ text: string; mode: number }> {
  const name = bundleFiles[part];
  const found =
    (await readLimitedFile(join(folder, committedName, name))) ?? (await readLimitedFile(join(folder, name)));
  if (found !== undefined) return { text: found.bytes.toString('utf8'), mode: found.mode };
  throw new MeshrootError('bundle-incomplete', `${join(folder, name)} is missing`, {
    hint: `a bundle is ${Object.values(bundleFiles).join(', ')}, all four`,
  });
}

/** Which of the four files are there. */
export async function bundleFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return Object.values(bundleFiles).filter((name) => names.includes(name));
}

/**
 * Writes the four files as one set: staged whole and synced, committed by one rename, then moved into place back to
 * back (istiod gathers what changes within 100 ms). A crash after the commit is finished by the next write, and
 * {@link readBundleFiles} sees the new set at once. Other files of the folder stay.
 * @param keyMode 0600 unless told otherwise; the certificates get 0644
 */
export async function writeBundleFiles(folder: string, bundle: IstioBundle, keyMode = 0o600): Promise<void> {
  await mkdir(folder, { recursive: true });
  await finishWrite(folder);
  const staging = join(folder, '.meshroot-staging');
  await rm(staging, { recursive: true, force: true }); // left by a writer that died before its commit
  await mkdir(staging, { mode: 0o700 });
  await writeFileAtomic(join(staging, bundleFiles.caKey), bundle.caKey.reveal(), keyMode);
  for (const part of ['caCert', 'certChain', 'rootCert'] as const) {
    await writeFileAtomic(join(staging, bundleFiles[part]), bundle[part], 0o644);
  }
  await rename(staging, join(folder, committedName));
  await syncFolder(folder);
  await finishWrite(folder);
}

/** Moves a committed set into place; does nothing when there is none. */
async function finishWrite(folder: string): Promise<void> {
  const committed = join(folder, committedName);
  for (const part of bundleParts) {
    await rename(join(committed, bundleFiles[part]), join(folder, bundleFiles[part])).catch(ignoreMissing);
  }
  await syncFolder(folder);
  await rmdir(committed).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
