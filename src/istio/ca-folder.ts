import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { bundleFiles, type IstioBundle } from './bundle.ts';

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
  const text = (name: string) => readIfThere(join(folder, name));
  const certificate = await text(tlsFiles.caCert);
  if (certificate !== undefined) {
    const [key, root] = await Promise.all([text(tlsFiles.caKey), text(tlsFiles.rootCert)]);
    if (key === undefined || root === undefined) throw incomplete(folder, tlsFiles, { key, root });
    const certChain = `${certificate}${certificate.endsWith('\n') ? '' : '\n'}${root}`;
    return {
      layout: 'tls',
      bundle: { caKey: new Secret(key), caCert: certificate, certChain, rootCert: root },
    };
  }
  const [key, cert, chain, root] = await Promise.all([
    text(bundleFiles.caKey),
    text(bundleFiles.caCert),
    text(bundleFiles.certChain),
    text(bundleFiles.rootCert),
  ]);
  if (key === undefined || cert === undefined || chain === undefined || root === undefined)
    throw incomplete(folder, bundleFiles, { key, cert, chain, root });
  return {
    layout: 'istio',
    bundle: { caKey: new Secret(key), caCert: cert, certChain: chain, rootCert: root },
  };
}

function incomplete(
  folder: string,
  names: Readonly<Record<string, string>>,
  read: Readonly<Record<string, string | undefined>>,
): MeshrootError {
  if (names === bundleFiles && Object.values(read).every((text) => text === undefined)) {
    return new MeshrootError('no-bundle', `no signing CA bundle in ${folder}`, {
      exit: 1,
      hint: 'istiod would invent a self-signed CA here; meshroot ca never does: deliver ca-key.pem, ca-cert.pem, cert-chain.pem and root-cert.pem first',
    });
  }
  const there = Object.values(read).filter((text) => text !== undefined).length;
  return new MeshrootError(
    'incomplete-bundle',
    `incomplete signing CA bundle detected in ${folder}: ${there} of ${Object.keys(read).length} files are there`,
    { exit: 1, hint: `needed: ${Object.values(names).join(', ')}` },
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw new MeshrootError('unreadable-bundle', `cannot read ${path}: ${codeOf(error) ?? 'unknown error'}`, {
      exit: 1,
      hint: 'the files must be readable by the user of this process',
      cause: error,
    });
  }
}
