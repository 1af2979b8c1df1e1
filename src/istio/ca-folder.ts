import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { readLimitedFile } from '../lib/limited-file.ts';
import { Secret } from '../lib/secret.ts';
import { bundleFiles, type IstioBundle } from './bundle.ts';
import { bundleFilesIn, readBundleFiles } from './bundle-files.ts';

/** The two sets of names that istiod knows; `tls.crt` wins where both lie in the folder. */
type Layout = 'istio' | 'tls';

export interface FolderBundle {
  readonly layout: Layout;
  readonly bundle: IstioBundle;
}

const tlsFiles = { caKey: 'tls.key', caCert: 'tls.crt', rootCert: 'ca.crt' } as const;
const every = [...Object.values(bundleFiles), ...Object.values(tlsFiles)];

/**
 * Reads the plugged-in CA files of `folder` as one set: what is on disk is read again until nothing changed while
 * reading, so that a swap in the middle never mixes two sets.
 * @throws MeshrootError `no-bundle` (nothing there), `incomplete-bundle`, `unstable-bundle`
 */
export async function readBundleFolder(folder: string): Promise<FolderBundle> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = await folderMark(folder);
    const found = await readOnce(folder);
    if ((await folderMark(folder)) === before) return found;
  }
  throw new MeshrootError('unstable-bundle', `the files of ${folder} change faster than they can be read`, {
    exit: 1,
    hint: 'write them with one rename, as the agent does',
  });
}

/** A text that changes whenever one of the files does: for polling, and to see a change while reading. */
export async function folderMark(folder: string): Promise<string> {
  const marks = await Promise.all(
    every.map(async (name) => {
      try {
        const { ino, size, mtimeMs, ctimeMs } = await stat(join(folder, name));
        return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
      } catch {
        return '-';
      }
    }),
  );
  return marks.join(' ');
}

async function readOnce(folder: string): Promise<FolderBundle> {
  const certificate = await textOf(join(folder, tlsFiles.caCert));
  if (certificate === undefined) return { layout: 'istio', bundle: await readIstioFiles(folder) };
  const key = await textOf(join(folder, tlsFiles.caKey));
  const root = await textOf(join(folder, tlsFiles.rootCert));
  if (key === undefined || root === undefined) {
    throw incomplete(folder, Object.values(tlsFiles), key === undefined && root === undefined ? 1 : 2);
  }
  const certChain = `${certificate}${certificate.endsWith('\n') ? '' : '\n'}${root}`;
  return {
    layout: 'tls',
    bundle: { caKey: new Secret(key), caCert: certificate, certChain, rootCert: root },
  };
}

/** As `readBundleFiles`, with istiod's words for what is missing. */
async function readIstioFiles(folder: string): Promise<IstioBundle> {
  try {
    return (await readBundleFiles(folder)).bundle;
  } catch (error) {
    if (codeOf(error) !== 'bundle-incomplete') throw error;
    const there = (await bundleFilesIn(folder)).length;
    if (there > 0) throw incomplete(folder, Object.values(bundleFiles), there);
    throw new MeshrootError('no-bundle', `no signing CA bundle in ${folder}`, {
      exit: 1,
      hint: 'istiod would invent a self-signed CA here; meshroot ca never does: deliver ca-key.pem, ca-cert.pem, cert-chain.pem and root-cert.pem first',
    });
  }
}

function incomplete(folder: string, names: readonly string[], there: number): MeshrootError {
  return new MeshrootError(
    'incomplete-bundle',
    `incomplete signing CA bundle detected in ${folder}: ${there} of ${names.length} files are there`,
    { exit: 1, hint: `needed: ${names.join(', ')}` },
  );
}

async function textOf(path: string): Promise<string | undefined> {
  return (await readLimitedFile(path))?.bytes.toString('utf8');
}
