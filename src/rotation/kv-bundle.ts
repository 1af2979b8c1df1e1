import type { VaultClient } from '../client/vault-client.ts';
import { bundleKvKeys, type IstioBundle } from '../istio/bundle.ts';
import { MeshrootError } from '../lib/errors.ts';
import { Secret } from '../lib/secret.ts';
import { readEntry, writeEntry } from './kv-entry.ts';

/**
 * The bundle stored at `path` (KV v1, or a `data/` path of KV v2), or undefined when there is none.
 * @throws MeshrootError `bundle-incomplete` when a key of it is missing
 */
export async function readBundle(vault: VaultClient, path: string): Promise<IstioBundle | undefined> {
  const data = await readEntry(vault, path);
  if (data === undefined) return undefined;
  const text = (key: string): string => {
    const value = data[key];
    if (typeof value === 'string' && value !== '') return value;
    throw new MeshrootError('bundle-incomplete', `${path} has no ${key}`, {
      hint: 'write it anew: meshroot rotate intermediate CLUSTER',
      exit: 1,
    });
  };
  return {
    caKey: new Secret(text(bundleKvKeys.caKey)),
    caCert: text(bundleKvKeys.caCert),
    certChain: text(bundleKvKeys.certChain),
    rootCert: text(bundleKvKeys.rootCert),
  };
}

/**
 * Stores all four keys in one write: a reader sees the old bundle or the new one. Reads back what Vault then holds.
 * @param ifVersion see {@link writeEntry}
 */
export async function writeBundle(
  vault: VaultClient,
  path: string,
  bundle: IstioBundle,
  kv: 1 | 2 = 1,
  ifVersion?: number,
): Promise<void> {
  const entry = {
    [bundleKvKeys.caKey]: bundle.caKey.reveal(),
    [bundleKvKeys.caCert]: bundle.caCert,
    [bundleKvKeys.certChain]: bundle.certChain,
    [bundleKvKeys.rootCert]: bundle.rootCert,
  };
  await writeEntry(vault, path, entry, kv, ifVersion);
  const stored = await readBundle(vault, path);
  if (stored?.caCert !== bundle.caCert || stored.caKey.reveal() !== bundle.caKey.reveal()) {
    throw new MeshrootError('bundle-not-stored', `${path} reads back differently from what was written`, {
      hint: 'another writer is at work; wait for it, then run the same command again',
    });
  }
}
