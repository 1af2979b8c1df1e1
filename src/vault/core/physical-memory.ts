import type { Physical } from './physical.ts';

/** Storage of `-dev` and of tests: gone with the process. */
export function createMemoryPhysical(): Physical {
  const values = new Map<string, Uint8Array>();
  const sorted: string[] = [];
  return {
    type: 'inmem',
    get: (key) => values.get(key),
    *keys(prefix, from = prefix) {
      for (let i = place(sorted, from); i < sorted.length; i++) {
        const key = sorted[i] ?? '';
        if (!key.startsWith(prefix)) return;
        yield key;
      }
    },
    count: (prefix) => sorted.filter((key) => key.startsWith(prefix)).length,
    commit: async (changes) => {
      for (const { key, value } of changes) {
        if (value === undefined) {
          if (values.delete(key)) sorted.splice(place(sorted, key), 1);
        } else {
          if (!values.has(key)) sorted.splice(place(sorted, key), 0, key);
          values.set(key, value);
        }
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

/** Where `key` stands or would stand. */
function place(sorted: readonly string[], key: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
