import type { Http2Session } from 'node:http2';

interface State {
  /** That are open. */
  calls: number;
  /** It had its call, or time enough to make one. */
  settled: boolean;
}

/**
 * The connections of a server, and which of them are idle. An agent keeps its connection for half a day between two
 * requests, and each costs some 60 kB: beyond `most` the one that has been idle for longest is told goodbye (GOAWAY),
 * and its agent dials again when it wants something. Who has a call open is never sent away, and who has just come
 * neither: in a storm its request is on the way.
 */
export class IdleSessions {
  readonly #most: number;
  /** Who did something last stands last. */
  readonly #states = new Map<Http2Session, State>();

  constructor(most: number) {
    this.#most = most;
  }

  [Symbol.iterator](): IterableIterator<Http2Session> {
    return this.#states.keys();
  }

  add(session: Http2Session): void {
    this.#states.set(session, { calls: 0, settled: false });
    this.#makeRoom();
  }

  remove(session: Http2Session): void {
    this.#states.delete(session);
  }

  /** It has been here for so long that it counts as idle, though it never called. */
  settle(session: Http2Session): void {
    const state = this.#states.get(session);
    if (state !== undefined) state.settled = true;
  }

  begin(session: Http2Session): void {
    this.#touch(session, 1);
  }

  end(session: Http2Session): void {
    this.#touch(session, -1);
    this.settle(session);
    this.#makeRoom();
  }

  #touch(session: Http2Session, change: number): void {
    const state = this.#states.get(session);
    if (state === undefined) return;
    state.calls += change;
    this.#states.delete(session);
    this.#states.set(session, state);
  }

  #makeRoom(): void {
    if (this.#states.size <= this.#most) return;
    for (const [session, { calls, settled }] of this.#states) {
      if (calls > 0 || !settled) continue;
      this.#states.delete(session);
      session.close();
      return;
    }
  }
}
