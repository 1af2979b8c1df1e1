import type { VaultClient } from '../client/vault-client.ts';
import { isRecord } from '../lib/records.ts';

/** What is stored at `path` (KV v1, or a `data/` path of KV v2), or undefined when there is nothing, or no more. */
export async function readEntry(
  vault: VaultClient,
  path: string,
): Promise<Record<string, unknown> | undefined> {
  const data = (await vault.read(path))?.data;
  if (!isRecord(data)) return undefined;
  if (!isRecord(data.metadata) || !('data' in data)) return data;
  return isRecord(data.data) ? data.data : undefined; // KV v2: null for a deleted version
}

/** @param ifVersion with KV v2 written only while this is the current version (0: none yet); KV v1 knows no versions */
export async function writeEntry(
  vault: VaultClient,
  path: string,
  entry: Readonly<Record<string, string>>,
  kv: 1 | 2,
  ifVersion?: number,
): Promise<void> {
  const options = ifVersion === undefined ? {} : { options: { cas: ifVersion } };
  await vault.write(path, kv === 2 ? { data: entry, ...options } : entry);
}
