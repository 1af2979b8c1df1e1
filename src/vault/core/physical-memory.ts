import type { Physical } from './physical.ts';
import { SortedKeys } from './sorted-keys.ts';

/** Storage of `-dev` and of tests: gone with the process. */
export function createMemoryPhysical(): Physical {
  const values = new Map<string, Uint8Array>();
  const sorted = new SortedKeys();
  function* keys(prefix: string, from = prefix): Iterable<string> {
    for (const key of sorted.from(from)) {
      if (!key.startsWith(prefix)) return;
      yield key;
    }
  }
  const put = (key: string, value: Uint8Array): void => {
    if (!values.has(key)) sorted.add(key);
    values.set(key, value);
  };
  return {
    type: 'inmem',
    get: (key) => values.get(key),
    keys,
    count: (prefix) => [...keys(prefix)].length,
    commit: async (changes) => {
      for (const { key, value } of changes) {
        if (value !== undefined) put(key, value);
        else if (values.delete(key)) sorted.delete(key);
      }
    },
    snapshot: () => {
      const copy = [...values].map(([key, value]) => ({ key, value }));
      return { entries: () => copy, close: () => {} };
    },
    replaceAll: async (entries) => {
      const next = [...entries];
      values.clear();
      sorted.clear();
      for (const { key, value } of next) put(key, value);
    },
    folder: undefined,
    close: async () => {},
  };
}
