import type { Clock } from './clock.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock for tests that jumps to the next sleeper as soon as nothing else is to be done: hours pass at once. */
export class JumpingClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
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
      signal?.addEventListener('abort', end, { once: true });
      setImmediate(() => this.#jump());
    });
  }

  #jump(): void {
    const [next] = this.#sleepers.sort((a, b) => a.at - b.at);
    if (next === undefined) return;
    this.#now = Math.max(this.#now, next.at);
    this.#sleepers = this.#sleepers.slice(1);
    next.wake();
  }
}
