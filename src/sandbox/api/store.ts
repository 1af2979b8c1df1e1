import type { ApiObject } from './fields.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change, in the order of `revision`. `previous` lets a watch with a selector see objects leave its view. */
export interface Change {
  readonly type: ChangeType;
  readonly revision: number;
  readonly resource: string;
  readonly object: ApiObject;
  readonly previous: ApiObject | undefined;
}

/**
 * Objects by resource (`pods`, `deployments.apps`), namespace (empty for cluster scope) and name, with one revision
 * counter over all of them and a log of recent changes. The only thing that an etcd-backed or durable store replaces.
 */
export interface Store {
  readonly revision: number;
  get(resource: string, namespace: string, name: string): ApiObject | undefined;
  /** Sorted by namespace and name; all namespaces when none is given. */
  list(resource: string, namespace?: string): ApiObject[];
  /** Stores a new object; undefined when the name is taken. */
  create(resource: string, object: ApiObject): ApiObject | undefined;
  /** Replaces an object; undefined when it is gone or its resourceVersion is no longer `expected`. */
  update(resource: string, object: ApiObject, expected: string): ApiObject | undefined;
  /** Removes an object; undefined when it is gone or its resourceVersion is no longer `expected`. */
  delete(resource: string, namespace: string, name: string, expected?: string): ApiObject | undefined;
  /** Changes of one resource after `revision`, oldest first; undefined when the log no longer reaches back so far. */
  since(resource: string, revision: number): Change[] | undefined;
  /** Calls `listener` for every later change of one resource (`*`: of all). Returns the way to stop it. */
  subscribe(resource: string, listener: (change: Change) => void): () => void;
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

/** Everything in memory, gone with the process: right for a sandbox cluster, which `up` builds anew. */
export class MemoryStore implements Store {
  readonly #tables = new Map<string, Map<string, ApiObject>>();
  readonly #listeners = new Map<string, Set<(change: Change) => void>>();
  readonly #logs = new Map<string, Change[]>();
  readonly #forgotten = new Map<string, number>();
  readonly #logLength: number;
  #revision = 1;

  /** @param logLength how many changes per resource a watch can fall behind before it has to list again */
  constructor(logLength = 2000) {
    this.#logLength = logLength;
  }

  get revision(): number {
    return this.#revision;
  }

  get(resource: string, namespace: string, name: string): ApiObject | undefined {
    return this.#tables.get(resource)?.get(keyOf(namespace, name));
  }

  list(resource: string, namespace?: string): ApiObject[] {
    const table = this.#tables.get(resource);
    if (table === undefined) return [];
    const prefix = namespace === undefined ? undefined : `${namespace}/`;
    const found = [...table].filter(([key]) => prefix === undefined || key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  create(resource: string, object: ApiObject): ApiObject | undefined {
    const table = this.#tables.get(resource) ?? new Map<string, ApiObject>();
    this.#tables.set(resource, table);
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '');
    if (table.has(key)) return undefined;
    const stored = this.#stamp(object);
    table.set(key, stored);
    this.#record('ADDED', resource, stored, undefined);
    return stored;
  }

  update(resource: string, object: ApiObject, expected: string): ApiObject | undefined {
    const table = this.#tables.get(resource);
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '');
    const previous = table?.get(key);
    if (table === undefined || previous?.metadata.resourceVersion !== expected) return undefined;
    const stored = this.#stamp(object);
    table.set(key, stored);
    this.#record('MODIFIED', resource, stored, previous);
    return stored;
  }

  delete(resource: string, namespace: string, name: string, expected?: string): ApiObject | undefined {
    const table = this.#tables.get(resource);
    const previous = table?.get(keyOf(namespace, name));
    if (table === undefined || previous === undefined) return undefined;
    if (expected !== undefined && previous.metadata.resourceVersion !== expected) return undefined;
    table.delete(keyOf(namespace, name));
    const stored = this.#stamp(previous);
    this.#record('DELETED', resource, stored, previous);
    return stored;
  }

  since(resource: string, revision: number): Change[] | undefined {
    if (revision < (this.#forgotten.get(resource) ?? 0)) return undefined;
    return (this.#logs.get(resource) ?? []).filter((change) => change.revision > revision);
  }

  subscribe(resource: string, listener: (change: Change) => void): () => void {
    const listeners = this.#listeners.get(resource) ?? new Set();
    this.#listeners.set(resource, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #stamp(object: ApiObject): ApiObject {
    this.#revision += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } };
  }

  #record(type: ChangeType, resource: string, object: ApiObject, previous: ApiObject | undefined): void {
    const change: Change = { type, revision: this.#revision, resource, object, previous };
    const log = this.#logs.get(resource) ?? [];
    this.#logs.set(resource, log);
    log.push(change);
    if (log.length > this.#logLength * 2) {
      const dropped = log.splice(0, log.length - this.#logLength);
      this.#forgotten.set(resource, dropped.at(-1)?.revision ?? 0);
    }
    for (const listener of [...(this.#listeners.get(resource) ?? []), ...(this.#listeners.get('*') ?? [])]) {
      listener(change);
    }
  }
}
