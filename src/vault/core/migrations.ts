export interface Migration {
  readonly source_mount: string;
  readonly target_mount: string;
  readonly status: 'success';
}

const kept = 1000;

/** The latest moves of mounts, for clients that ask until one is done. Forgotten when the store is sealed. */
export class Migrations {
  readonly #known = new Map<string, Migration>();

  add(id: string, migration: Migration): void {
    this.#known.set(id, migration);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= kept) return;
      this.#known.delete(oldest);
    }
  }

  get(id: string): Migration | undefined {
    return this.#known.get(id);
  }
}
