import type { StorageView } from '../core/storage.ts';

/** Roles (or users, or certificates) that an auth method keeps by name. */
export interface NamedEntries<T> {
  read(store: StorageView, name: string): T | undefined;
  put(store: StorageView, name: string, entry: T): void;
  remove(store: StorageView, name: string): void;
  names(store: StorageView): string[];
}

/** @param folder of the mount's part of the store, with trailing slash @param keyOf a name as it is kept */
export const namedEntries = <T>(
  folder: string,
  keyOf: (name: string) => string = (name) => name.toLowerCase(),
): NamedEntries<T> => ({
  read: (store, name) => store.get<T>(folder + keyOf(name)),
  put: (store, name, entry) => store.put(folder + keyOf(name), entry),
  remove: (store, name) => store.delete(folder + keyOf(name)),
  names: (store) => store.list(folder),
});
