import type { Clock } from '../lib/clock.ts';

/** Largest step of this clock per tick of 2 ms, so that real work in between takes little of its time. */
const stepMs = 2000;

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock on which an hour takes a few seconds, for tests of outages. */
export class TestClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(now: number) {
    this.#now = now;
    this.#timer = setInterval(() => this.#step(), 2);
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const end = (): void => {
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const sleeper = { at: this.#now + ms, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', end);
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const next = Math.min(...this.#sleepers.map(({ at }) => at));
    this.#now = Math.min(this.#now + stepMs, Math.max(this.#now, next));
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}
