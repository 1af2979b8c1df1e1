import type { StorageView } from './storage.ts';

export const versionPrefix = 'core/versions/';

/** Remembers when a version first opened this store. @param now milliseconds */
export function noteVersion(store: StorageView, version: string, now: number): void {
  if (store.get(versionPrefix + version) === undefined) store.put(versionPrefix + version, now);
}
