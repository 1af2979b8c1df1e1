import type { Fields } from '../../core/fields.ts';
import type { StorageView } from '../../core/storage.ts';

/** Times in milliseconds; 0 = never. */
export interface VersionMetadata {
  readonly created: number;
  readonly deleted: number;
  readonly destroyed: boolean;
}

export interface KeyMetadata {
  readonly versions: Readonly<Record<string, VersionMetadata>>;
  readonly current: number;
  readonly oldest: number;
  readonly created: number;
  readonly updated: number;
  readonly maxVersions: number;
  readonly casRequired: boolean;
  readonly metadataCasRequired?: boolean;
  /** How often the metadata was written; 0 = only by data. */
  readonly metadataVersion?: number;
  /** Seconds. */
  readonly deleteVersionAfter: number;
  readonly customMetadata: Readonly<Record<string, string>> | null;
}

export interface KvConfig {
  readonly maxVersions: number;
  readonly casRequired: boolean;
  readonly metadataCasRequired?: boolean;
  /** Seconds. */
  readonly deleteVersionAfter: number;
}

const defaultVersions = 10;

export const readConfig = (store: StorageView): KvConfig =>
  store.get<KvConfig>('config') ?? { maxVersions: 0, casRequired: false, deleteVersionAfter: 0 };

export const putConfig = (store: StorageView, config: KvConfig): void => store.put('config', config);

export const readMetadata = (store: StorageView, path: string): KeyMetadata | undefined =>
  store.get<KeyMetadata>(`metadata/${path}`);

export const putMetadata = (store: StorageView, path: string, metadata: KeyMetadata): void =>
  store.put(`metadata/${path}`, metadata);

export const readVersion = (store: StorageView, path: string, version: number): Fields | undefined =>
  store.get<Fields>(versionPath(path, version));

export const deleteVersion = (store: StorageView, path: string, version: number): void =>
  store.delete(versionPath(path, version));

/** Every key below a folder. */
export const allKeys = (store: StorageView, path: string): string[] => store.all(`metadata/${path}`);

export const listKeys = (store: StorageView, path: string): string[] => store.list(`metadata/${path}`);

/** A slash cannot follow a version, so that `a` version 1 and a key `a/1` do not meet. */
const versionPath = (path: string, version: number): string => `versions/${path}//${version}`;

export function newMetadata(now: number): KeyMetadata {
  return {
    versions: {},
    current: 0,
    oldest: 0,
    created: now,
    updated: now,
    maxVersions: 0,
    casRequired: false,
    deleteVersionAfter: 0,
    customMetadata: null,
  };
}

/** Stages one more version with its metadata, and drops those beyond the maximum. */
export function addVersion(store: StorageView, path: string, data: Fields, now: number): KeyMetadata {
  const config = readConfig(store);
  const before = readMetadata(store, path) ?? newMetadata(now);
  const current = before.current + 1;
  // Below zero: never, whatever the other says.
  const asked = [before.deleteVersionAfter, config.deleteVersionAfter];
  const after = asked.some((seconds) => seconds < 0) ? [] : asked.filter((seconds) => seconds > 0);
  const deleted = after.length === 0 ? 0 : now + Math.min(...after) * 1000;
  const versions: Record<string, VersionMetadata> = {
    ...before.versions,
    [current]: { created: now, deleted, destroyed: false },
  };
  // `>>> 0`: older stores may hold a number below zero.
  const limit = before.maxVersions >>> 0 || config.maxVersions >>> 0 || defaultVersions;
  for (const version of Object.keys(versions).map(Number)) {
    if (version > current - limit) continue;
    delete versions[version];
    deleteVersion(store, path, version);
  }
  const oldest = Math.max(0, current - limit + 1);
  const metadata = {
    ...before,
    versions,
    current,
    oldest: current > limit ? oldest : before.oldest,
    updated: now,
  };
  store.put(versionPath(path, current), data);
  putMetadata(store, path, metadata);
  return metadata;
}
