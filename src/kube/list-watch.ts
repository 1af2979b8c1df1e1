import type { Clock } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import type { KubeObject, WatchEvent } from './api.ts';
import { answerError, isExpired, KubeError } from './errors.ts';
import { asKubeObject, recordOf, textOf } from './kube-object.ts';

/** What the loop asks of the API server. */
export interface WatchSource {
  list(): Promise<{ items: KubeObject[]; resourceVersion: string }>;
  /** The raw events after `resourceVersion`; ends when the server ends the watch. */
  follow(resourceVersion: string): Promise<AsyncIterable<unknown>>;
}

export interface ListWatchOptions {
  readonly source: WatchSource;
  readonly onEvent: (event: WatchEvent) => void;
  readonly onProblem?: ((error: unknown) => void) | undefined;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** In [0, 1): spreads the retries of many clients. */
  readonly random: () => number;
}

/** Waiting starts here and doubles up to the second (ms). */
const backoff = { first: 100, most: 15_000 };

/** These answers to the first list will not change by asking again. */
const permanent = new Set(['kube-unauthorized', 'kube-forbidden', 'kube-not-found', 'kube-bad-request']);

/** See `KubeApi.watch`. */
export async function listWatch(options: ListWatchOptions): Promise<void> {
  const { signal, clock } = options;
  const state = new WatchState(options.onEvent);
  let failures = 0;
  while (!signal.aborted) {
    try {
      await round(state, options, () => {
        failures = 0;
      });
    } catch (error) {
      if (signal.aborted) return;
      if (!state.everSynced && permanent.has(codeOf(error) ?? '')) throw error;
      if (isExpired(error)) state.version = undefined;
      else options.onProblem?.(error);
      const wait = Math.min(backoff.first * 2 ** failures++, backoff.most);
      await clock.sleep(wait * (0.5 + options.random()), signal).catch(() => {});
    }
  }
}

/** One list if there is no position, then one watch until the server ends it. */
async function round(state: WatchState, options: ListWatchOptions, progress: () => void): Promise<void> {
  if (state.version === undefined) {
    const { items, resourceVersion } = await options.source.list();
    if (options.signal.aborted) return;
    state.relist(items, resourceVersion);
  }
  let events = 0;
  for await (const raw of await options.source.follow(state.version ?? '')) {
    if (options.signal.aborted) return;
    state.apply(raw);
    events++;
    progress();
  }
  // A server that ends watches at once must not be asked in a hot loop.
  if (events === 0) await options.clock.sleep(backoff.first, options.signal).catch(() => {});
}

/** What has been told so far, so that a new list can be told as differences. */
class WatchState {
  version: string | undefined;
  everSynced = false;
  readonly #known = new Map<string, KubeObject>();
  readonly #onEvent: (event: WatchEvent) => void;

  constructor(onEvent: (event: WatchEvent) => void) {
    this.#onEvent = onEvent;
  }

  relist(items: readonly KubeObject[], version: string): void {
    const gone = new Map(this.#known);
    for (const object of items) {
      gone.delete(keyOf(object));
      this.#tell(object);
    }
    for (const [key, object] of gone) {
      this.#known.delete(key);
      this.#onEvent({ type: 'DELETED', object });
    }
    this.version = version;
    this.everSynced = true;
    this.#onEvent({ type: 'SYNCED' });
  }

  /** One line of the watch: `{type, object}`. ERROR carries a Status. */
  apply(raw: unknown): void {
    if (!isRecord(raw)) throw new KubeError('kube-bad-answer', 'a watch event that is not an object');
    if (raw.type === 'ERROR') throw statusError(raw.object);
    const object = asKubeObject(raw.object);
    this.version = object.metadata.resourceVersion ?? this.version;
    if (raw.type === 'ADDED' || raw.type === 'MODIFIED') this.#tell(object);
    if (raw.type === 'DELETED') {
      this.#known.delete(keyOf(object));
      this.#onEvent({ type: 'DELETED', object });
    }
  }

  /** The same version twice (after a resume) is told once. */
  #tell(object: KubeObject): void {
    const key = keyOf(object);
    const before = this.#known.get(key);
    this.#known.set(key, object);
    if (before === undefined) {
      this.#onEvent({ type: 'ADDED', object });
    } else if (before.metadata.uid !== object.metadata.uid) {
      this.#onEvent({ type: 'DELETED', object: before });
      this.#onEvent({ type: 'ADDED', object });
    } else if (before.metadata.resourceVersion !== object.metadata.resourceVersion) {
      this.#onEvent({ type: 'MODIFIED', object });
    }
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function statusError(status: unknown): KubeError {
  const record = recordOf(status);
  const code = typeof record.code === 'number' ? record.code : 500;
  return answerError(textOf(record.reason) === 'Expired' ? 410 : code, status, 'a watch');
}
