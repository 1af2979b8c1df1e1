import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { ApiObject } from '../api/fields.ts';
import type { LocalApi } from '../api/local-api.ts';
import type { Change, Store } from '../api/store.ts';

/** What the controllers of one cluster work with: they read the store and write through the API, as anyone. */
export interface Cluster {
  readonly store: Store;
  readonly api: LocalApi;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One question of the control plane: what it watches, and how it brings one key into its desired state. */
export interface Controller {
  readonly name: string;
  /** The keys that a change of a resource concerns, usually of that object or its owner. */
  readonly watches: Readonly<
    Record<string, (object: ApiObject, change: Change | undefined) => readonly string[]>
  >;
  /** Level-triggered: looks at what is there now. Throws to be called again later. */
  reconcile(key: string, cluster: Cluster): Promise<void>;
}

export const keyOf = (object: ApiObject): string =>
  `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;

export function splitKey(key: string): { namespace: string; name: string } {
  const at = key.indexOf('/');
  return { namespace: key.slice(0, at), name: key.slice(at + 1) };
}

/** Key of the object that controls this one, if it is of the given kind. */
export function ownerKeys(kind: string): (object: ApiObject) => string[] {
  return (object) =>
    (object.metadata.ownerReferences ?? [])
      .filter((owner) => owner.kind === kind && owner.controller === true)
      .map((owner) => `${object.metadata.namespace ?? ''}/${owner.name}`);
}

const firstRetry = 50;
/** A sandbox is small and somebody waits for it: looking again every second costs nothing. */
const lastRetry = 1000;

/** Runs one controller: each key at most once at a time, failed ones again with growing pauses. */
export class ControllerLoop {
  readonly #controller: Controller;
  readonly #cluster: Cluster;
  readonly #waiting = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #unsubscribe: (() => void)[] = [];
  #running = false;
  #closed = false;

  constructor(controller: Controller, cluster: Cluster) {
    this.#controller = controller;
    this.#cluster = cluster;
    for (const [resource, keys] of Object.entries(controller.watches)) {
      const listener = (change: Change): void => this.#add(keys(change.object, change));
      this.#unsubscribe.push(cluster.store.subscribe(resource, listener));
      if (resource !== '*')
        for (const object of cluster.store.list(resource)) this.#add(keys(object, undefined));
    }
  }

  close(): void {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #add(keys: readonly string[]): void {
    for (const key of keys) this.#waiting.add(key);
    if (this.#running || this.#closed || this.#waiting.size === 0) return;
    this.#running = true;
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    for (const key of this.#waiting) {
      if (this.#closed) break;
      this.#waiting.delete(key);
      await this.#once(key);
    }
    this.#running = false;
    if (!this.#closed && this.#waiting.size > 0) this.#add([]);
  }

  async #once(key: string): Promise<void> {
    try {
      await this.#controller.reconcile(key, this.#cluster);
      this.#failures.delete(key);
    } catch (error) {
      if (this.#closed) return;
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.#cluster.log.debug(`${this.#controller.name}: ${key}: ${messageOf(error)}`);
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          this.#add([key]);
        },
        Math.min(lastRetry, firstRetry * 2 ** (failures - 1)),
      );
      this.#timers.add(timer);
    }
  }
}
