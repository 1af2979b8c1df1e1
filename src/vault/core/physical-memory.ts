import type { Physical } from './physical.ts';

/** Storage of `-dev` and of tests: gone with the process. */
export function createMemoryPhysical(): Physical {
  const values = new Map<string, Uint8Array>();
  return {
    type: 'inmem',
    get: (key) => values.get(key),
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
    commit: async (changes) => {
      for (const { key, value } of changes) {
        if (value === undefined) values.delete(key);
        else values.set(key, value);
      }
    },
    snapshot: () => {
      const copy = [...values].map(([key, value]) => ({ key, value }));
      return { entries: () => copy, close: () => {} };
    },
    replaceAll: async (entries) => {
      const next = [...entries];
      values.clear();
      for (const { key, value } of next) values.set(key, value);
    },
    folder: undefined,
    close: async () => {},
  };
}
