import { basename, dirname, join } from 'node:path';
import { type BundlePart, bundleFiles } from '../../istio/bundle.ts';
import { Secret } from '../../lib/secret.ts';
import type { RawFile, ScannedBundle } from './input.ts';

/** Folders that are bundles: by ca-cert.pem and another of the four names, else by tls.crt together with ca.crt. */
export function bundlesOf(files: readonly RawFile[], unreadable: readonly string[]): ScannedBundle[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const folders = [...new Set(files.map(({ path }) => dirname(path)))];
  return folders.flatMap((folder): ScannedBundle[] => {
    const text: TextOf = (name) => byPath.get(join(folder, name))?.text;
    const gone = (name: string): boolean =>
      text(name) === undefined && !unreadable.includes(join(folder, name));
    return istioBundle(folder, text, gone) ?? tlsBundle(folder, text) ?? [];
  });
}

type TextOf = (name: string) => string | undefined;

function istioBundle(
  folder: string,
  text: TextOf,
  gone: (name: string) => boolean,
): ScannedBundle[] | undefined {
  const publicNames = [bundleFiles.caCert, bundleFiles.certChain, bundleFiles.rootCert];
  const present = Object.values(bundleFiles).filter((name) => !gone(name));
  const caKey = text(bundleFiles.caKey);
  if (text(bundleFiles.caCert) === undefined || present.length < 2) return undefined;
  const inFolder = (part: BundlePart): string => join(folder, bundleFiles[part]);
  return [
    {
      layout: 'istio',
      folder,
      texts: {
        caCert: text(bundleFiles.caCert) ?? '',
        certChain: text(bundleFiles.certChain) ?? '',
        rootCert: text(bundleFiles.rootCert) ?? '',
      },
      caKey: caKey === undefined ? undefined : new Secret(caKey),
      missing: publicNames.filter(gone),
      paths: {
        caKey: inFolder('caKey'),
        caCert: inFolder('caCert'),
        certChain: inFolder('certChain'),
        rootCert: inFolder('rootCert'),
      },
    },
  ];
}

/** istiod and servers present the file as it is: it is certificate and chain in one. */
function tlsBundle(folder: string, text: TextOf): ScannedBundle[] | undefined {
  const certificate = text('tls.crt');
  const rootCert = text('ca.crt');
  if (certificate === undefined || rootCert === undefined) return undefined;
  const tls = join(folder, 'tls.crt');
  return [
    {
      layout: 'tls',
      folder,
      texts: { caCert: certificate, certChain: certificate, rootCert },
      caKey: undefined,
      missing: [],
      paths: {
        caKey: join(folder, 'tls.key'),
        caCert: tls,
        certChain: tls,
        rootCert: join(folder, 'ca.crt'),
      },
    },
  ];
}

/** How the file of a key's certificate is called beside it, most likely first. */
export function certificateNamesFor(keyPath: string): string[] {
  const name = basename(keyPath);
  const folder = dirname(keyPath);
  const stem = name.replace(/\.[^.]+$/, '');
  const near = name.replace(/key/i, 'cert');
  const names = [
    ...(near === name ? [] : [near]),
    ...(name === 'key.pem' ? ['cert-chain.pem', 'workload-cert.pem'] : []),
    ...['.crt', '.cert', '.cer', '.pem'].map((ending) => stem + ending),
    ...['.crt', '.pem'].map((ending) => stem.replace(/[-_.]?key$/i, '') + ending),
  ];
  return [...new Set(names)].filter((other) => other !== name).map((other) => join(folder, other));
}
