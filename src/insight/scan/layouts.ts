import { basename, dirname, join } from 'node:path';
import { bundleFiles } from '../../istio/bundle.ts';
import type { RawFile } from './gather.ts';
import type { ScannedBundle } from './input.ts';

/** Folders that are bundles: by ca-cert.pem, else by tls.crt together with ca.crt. */
export function bundlesOf(files: readonly RawFile[]): ScannedBundle[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const folders = [...new Set(files.map(({ path }) => dirname(path)))];
  return folders.flatMap((folder): ScannedBundle[] => {
    const text = (name: string): string | undefined => byPath.get(join(folder, name))?.text;
    return istioBundle(folder, text) ?? tlsBundle(folder, text) ?? [];
  });
}

type TextOf = (name: string) => string | undefined;

function istioBundle(folder: string, text: TextOf): ScannedBundle[] | undefined {
  const caCert = text(bundleFiles.caCert);
  const rootCert = text(bundleFiles.rootCert);
  if (caCert === undefined || rootCert === undefined) return undefined;
  const paths = {
    caCert: join(folder, bundleFiles.caCert),
    certChain: join(folder, bundleFiles.certChain),
    rootCert: join(folder, bundleFiles.rootCert),
  };
  return [
    {
      layout: 'istio',
      folder,
      paths,
      texts: { caCert, certChain: text(bundleFiles.certChain) ?? '', rootCert },
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
      paths: { caCert: tls, certChain: tls, rootCert: join(folder, 'ca.crt') },
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
