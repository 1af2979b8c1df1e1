import type { Call } from '../exchange.ts';
import type { ApiObject, Fields } from '../fields.ts';
import { groupVersionOf, resourceOf } from '../kinds.ts';
import { representEvent, type View } from '../represent.ts';
import { expired, StatusError } from '../status-error.ts';
import type { Change } from '../store.ts';
import { checkVersion, filterOf } from './list.ts';

const bookmarkEvery = 60_000;

/** What a watch still has to send; `take` waits for more. */
class Queue {
  readonly #items: Change[] = [];
  #wake: (() => void) | undefined;

  push(change: Change): void {
    this.#items.push(change);
    this.wake();
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  drain(): Change[] {
    return this.#items.splice(0);
  }

  async wait(ms: number): Promise<void> {
    if (this.#items.length > 0) return;
    const { promise, resolve } = deferred();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/**
 * The events of a collection, one JSON line each, until the client leaves or `timeoutSeconds` have passed.
 * Starts at `resourceVersion`; without one, or with 0, it first shows what is there. `sendInitialEvents` does that too
 * and marks its end by the bookmark that reflectors of client-go wait for (KEP-3157).
 * @throws StatusError for bad options; a resourceVersion that is too old is an ERROR event, as clients expect
 */
export function watchObjects(call: Call, view: View): AsyncIterable<string> {
  const matches = filterOf(call);
  const { query } = call.request;
  checkInitialEvents(query);
  checkVersion(query.get('resourceVersion') ?? '');
  const queue = new Queue();
  const unsubscribe = call.around.store.subscribe(resourceOf(call.info.kind), (change) => queue.push(change));
  const start = startOf(call, query.get('resourceVersion') ?? '', query.get('sendInitialEvents') === 'true');
  return eventLines({ call, view, matches, queue, start, unsubscribe });
}

function checkInitialEvents(query: URLSearchParams): void {
  const wanted = query.get('sendInitialEvents');
  if (wanted === null || query.get('resourceVersionMatch') === 'NotOlderThan') return;
  const why =
    'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
  throw new StatusError(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${why}`);
}

interface Start {
  readonly initial: readonly ApiObject[];
  readonly backlog: readonly Change[];
  readonly error: StatusError | undefined;
  readonly bookmark: boolean;
  readonly revision: number;
}

function startOf(call: Call, version: string, initialEvents: boolean): Start {
  const { store } = call.around;
  const resource = resourceOf(call.info.kind);
  const none = { initial: [], backlog: [], error: undefined, bookmark: false, revision: store.revision };
  if (initialEvents || version === '' || version === '0') {
    return { ...none, initial: store.list(resource), bookmark: initialEvents };
  }
  const revision = Number(version);
  const backlog = store.since(resource, revision);
  // a later revision than ours is from the store before a restart: only listing again helps such a client
  if (backlog === undefined || !(revision <= store.revision)) {
    return { ...none, error: expired(version, store.revision) };
  }
  return { ...none, backlog };
}

interface Watch {
  readonly call: Call;
  readonly view: View;
  readonly matches: (object: ApiObject) => boolean;
  readonly queue: Queue;
  readonly start: Start;
  readonly unsubscribe: () => void;
}

async function* eventLines(watch: Watch): AsyncGenerator<string> {
  const { call, queue, start } = watch;
  const { signal, query } = call.request;
  const clock = call.around.clock;
  const writer = new EventWriter(watch);
  const bookmarks = query.get('allowWatchBookmarks') === 'true';
  const end = clock.now() + secondsOf(query.get('timeoutSeconds')) * 1000;
  const stop = (): void => queue.wake();
  signal.addEventListener('abort', stop);
  try {
    if (start.error !== undefined) {
      yield writer.error(start.error);
      return;
    }
    yield* start.initial.filter(watch.matches).map((object) => writer.line('ADDED', object));
    if (start.bookmark) yield writer.bookmark(true);
    yield* start.backlog.flatMap((change) => writer.change(change));
    for (let next = clock.now() + bookmarkEvery; !signal.aborted && clock.now() < end; ) {
      await queue.wait(Math.min(end, next) - clock.now());
      yield* queue.drain().flatMap((change) => writer.change(change));
      if (clock.now() < next) continue;
      next = clock.now() + bookmarkEvery;
      if (bookmarks) yield writer.bookmark(false);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    watch.unsubscribe();
  }
}

/** Real servers end a watch after half an hour to an hour; reflectors then start the next one. */
const secondsOf = (text: string | null): number => (Number(text) > 0 ? Number(text) : 3000);

class EventWriter {
  readonly #watch: Watch;
  #first = true;
  /** Up to here the client has seen everything: what a bookmark may promise. */
  #sent: number;

  constructor(watch: Watch) {
    this.#watch = watch;
    this.#sent = watch.start.revision;
  }

  /** An object that leaves the view of a selector is a DELETED, one that enters it an ADDED. */
  change(change: Change): string[] {
    this.#sent = change.revision;
    const before = change.previous !== undefined && this.#watch.matches(change.previous);
    const after = change.type !== 'DELETED' && this.#watch.matches(change.object);
    if (after) return [this.line(before ? 'MODIFIED' : 'ADDED', change.object)];
    if (!before) return [];
    const { previous } = change;
    const version = change.object.metadata.resourceVersion ?? '';
    const last = change.type === 'DELETED' || previous === undefined ? change.object : previous;
    return [this.line('DELETED', { ...last, metadata: { ...last.metadata, resourceVersion: version } })];
  }

  line(type: string, object: ApiObject): string {
    const view = { ...this.#watch.view, now: this.#watch.call.around.clock.now() };
    const text = eventLine(type, representEvent(object, view, this.#first));
    this.#first = false;
    return text;
  }

  error(error: StatusError): string {
    return eventLine('ERROR', { ...error.body });
  }

  bookmark(initial: boolean): string {
    const { kind } = this.#watch.call.info;
    if (!initial && this.#watch.queue.isEmpty) this.#sent = this.#watch.call.around.store.revision;
    const object: ApiObject = {
      apiVersion: groupVersionOf(kind),
      kind: kind.kind,
      metadata: {
        resourceVersion: String(this.#sent),
        ...(initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
      },
    };
    const as = this.#watch.view.accepted.as;
    return eventLine(
      'BOOKMARK',
      as === 'PartialObjectMetadata' ? representEvent(object, this.#watch.view, false) : object,
    );
  }
}

const eventLine = (type: string, object: Fields): string => `${JSON.stringify({ type, object })}\n`;
