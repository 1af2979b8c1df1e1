import type { Backend } from './backend.ts';
import { fullPath, type MountEntry, type SystemTtls } from './mount-entry.ts';

export interface Mounted {
  readonly entry: MountEntry;
  readonly backend: Backend;
}

/** The mount table in memory: the longest mounted prefix of a path decides. */
export class Router {
  readonly #mounts = new Map<string, Mounted>();
  readonly #system: SystemTtls | undefined;

  /** @param system lease times of mounts that say nothing; Vault's own without it */
  constructor(system?: SystemTtls) {
    this.#system = system;
  }

  set({ entry, backend }: Mounted): void {
    const known = this.#system === undefined ? entry : { ...entry, system: this.#system };
    this.#mounts.set(fullPath(entry), { entry: known, backend });
  }

  remove(path: string): void {
    this.#mounts.delete(path);
  }

  get(path: string): Mounted | undefined {
    return this.#mounts.get(path);
  }

  all(kind: MountEntry['kind']): Mounted[] {
    return [...this.#mounts.values()]
      .filter(({ entry }) => entry.kind === kind)
      .sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));
  }

  /** Undefined when nothing is mounted above `path`. */
  find(path: string): Mounted | undefined {
    for (
      let slash = path.lastIndexOf('/');
      slash !== -1;
      slash = slash === 0 ? -1 : path.lastIndexOf('/', slash - 1)
    ) {
      const found = this.#mounts.get(path.slice(0, slash + 1));
      if (found !== undefined) return found;
    }
    return this.#mounts.get(`${path}/`); // the mount's own root without its slash
  }

  /** A mount that `path` (with trailing slash) would shadow or be shadowed by. */
  conflict(path: string): string | undefined {
    for (const other of this.#mounts.keys()) {
      if (path.startsWith(other) || other.startsWith(path)) return other;
    }
    return undefined;
  }
}
