import type { Http2Session } from 'node:http2';

/**
 * The connections of a server, and which of them are idle. An agent keeps its connection for half a day between two
 * requests, and each costs some 60 kB: beyond `most` the one that has been idle for longest is told goodbye (GOAWAY),
 * and its agent dials again when it wants something. Who has a call open is never sent away.
 */
export class IdleSessions {
  readonly #most: number;
  /** Calls that are open, by session; who did something last stands last. */
  readonly #calls = new Map<Http2Session, number>();

  constructor(most: number) {
    this.#most = most;
  }

  [Symbol.iterator](): IterableIterator<Http2Session> {
    return this.#calls.keys();
  }

  add(session: Http2Session): void {
    this.#calls.set(session, 0);
    if (this.#calls.size <= this.#most) return;
    for (const [one, calls] of this.#calls) {
      if (calls > 0 || one === session) continue;
      this.#calls.delete(one);
      one.close();
      return;
    }
  }

  remove(session: Http2Session): void {
    this.#calls.delete(session);
  }

  begin(session: Http2Session): void {
    this.#touch(session, 1);
  }

  end(session: Http2Session): void {
    this.#touch(session, -1);
  }

  #touch(session: Http2Session, change: number): void {
    const calls = this.#calls.get(session);
    if (calls === undefined) return;
    this.#calls.delete(session);
    this.#calls.set(session, calls + change);
  }
}
