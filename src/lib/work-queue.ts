import type { Clock } from './clock.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** 0 to 1; spreads what would else fall together. */
  readonly random: () => number;
  /** How many keys are worked on at one time. */
  readonly concurrency: number;
  /** Pause after the first failure of a key, doubled by each further one up to `maxDelay`; milliseconds. */
  readonly baseDelay: number;
  readonly maxDelay: number;
  /** @returns after how many milliseconds to do it again; undefined = only when it is added again */
  readonly work: (key: string) => Promise<number | undefined>;
  readonly onFailure: (key: string, error: unknown, retryIn: number) => void;
}

/**
 * Work by key, done again and again: a key is never worked on twice at one time, what is added while it runs is done
 * once more afterwards, and a failure backs off for that key alone (as the rate limited queue of Kubernetes' client-go).
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** When each waiting key is due, milliseconds since the epoch. */
  readonly #due = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #running = new Map<string, Promise<void>>();
  #wake = new AbortController();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that are due or running. */
  get depth(): number {
    const now = this.#options.clock.now();
    return this.#running.size + [...this.#due.values()].filter((at) => at <= now).length;
  }

  /** Puts `key` in, due in `after` milliseconds or when it is due already, whichever is sooner. */
  add(key: string, after = 0): void {
    const at = this.#options.clock.now() + after;
    if ((this.#due.get(key) ?? Number.POSITIVE_INFINITY) > at) this.#due.set(key, at);
    this.#wake.abort();
  }

  /** Takes `key` out; what runs is brought to its end but not done again. */
  forget(key: string): void {
    this.#due.delete(key);
    this.#failures.delete(key);
  }

  /** Works until `signal` is aborted, then waits for what is running. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake.abort();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      const key = this.#next();
      if (key === undefined) await this.#pause();
      else this.#start(key);
    }
    signal.removeEventListener('abort', stop);
    await Promise.all(this.#running.values());
  }

  #next(): string | undefined {
    if (this.#running.size >= this.#options.concurrency) return undefined;
    const now = this.#options.clock.now();
    const ready = [...this.#due].filter(([key, at]) => at <= now && !this.#running.has(key));
    return ready.sort(([, a], [, b]) => a - b)[0]?.[0];
  }

  #start(key: string): void {
    this.#due.delete(key);
    const done = this.#work(key).finally(() => {
      this.#running.delete(key);
      this.#wake.abort();
    });
    this.#running.set(key, done);
  }

  async #work(key: string): Promise<void> {
    try {
      const again = await this.#options.work(key);
      this.#failures.delete(key);
      if (again !== undefined) this.add(key, again);
    } catch (error) {
      const delay = this.#backOff(key);
      this.#options.onFailure(key, error, delay);
      this.add(key, delay);
    }
  }

  /** Between half of the doubled pause and the whole of it. */
  #backOff(key: string): number {
    const { baseDelay, maxDelay, random } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const pause = Math.min(maxDelay, baseDelay * 2 ** Math.min(failures, 30));
    return Math.round(pause * (0.5 + random() / 2));
  }

  /** Until the next key is due, or something changes. */
  async #pause(): Promise<void> {
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
    const { signal } = this.#wake;
    const waiting = [...this.#due].filter(([key]) => !this.#running.has(key)).map(([, at]) => at);
    if (waiting.length === 0 || this.#running.size >= this.#options.concurrency) return aborted(signal);
    const ms = Math.min(...waiting) - this.#options.clock.now();
    // timers of Node end at 2^31 ms; an hour is as good
    if (ms > 0) await this.#options.clock.sleep(Math.min(ms, 3_600_000), signal).catch(() => {});
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
