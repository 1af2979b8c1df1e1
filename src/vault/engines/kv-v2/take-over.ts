import type { Fields } from '../../core/fields.ts';
import type { StorageView } from '../../core/storage.ts';
import { addVersion } from './store.ts';

/**
 * A mount that kept one value per path gets versions: each value becomes version 1 of its key. A key of version 1 may be
 * called `config` or `metadata/a`, which mean something here: all are taken out before the first is put back.
 */
export function takeOver(store: StorageView, now: number): void {
  const secrets = store.all('').map((path) => ({ path, data: store.get<Fields>(path) ?? {} }));
  for (const { path } of secrets) store.delete(path);
  for (const { path, data } of secrets) addVersion(store, path, data, now);
}
