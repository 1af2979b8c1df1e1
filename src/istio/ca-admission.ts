import type { Clock } from '../lib/clock.ts';
import { CaRefusal } from './ca-refusal.ts';

/** So many in one period; a caller that was quiet may take a whole period's worth at once. */
export interface Rate {
  readonly count: number;
  /** Milliseconds. */
  readonly period: number;
}

export interface AdmissionOptions {
  readonly clock: Clock;
  /** Of all callers together. */
  readonly rate?: Rate | undefined;
  /** Of one caller (its pod, or its identity where the pod is not known). */
  readonly callerRate?: Rate | undefined;
  /** Requests that are signed at a time; the others wait, one caller after the other. */
  readonly parallel?: number;
  /** Requests of one caller that may wait or be under way. */
  readonly perCaller?: number;
  /** Requests of all callers that may wait. */
  readonly waiting?: number;
  /** Who has waited longer is told to come back, in ms. */
  readonly patience?: number;
}

interface Waiter {
  readonly since: number;
  readonly go: () => void;
  readonly refuse: (refusal: CaRefusal) => void;
}

/**
 * Who may sign now: rates, and turns that go round the callers, so that one that ignores back-off waits behind itself and
 * not in front of the others. What does not fit is refused with code 8, on which agents back off.
 */
export class Admission {
  readonly #options: Required<Omit<AdmissionOptions, 'rate' | 'callerRate'>>;
  readonly #all: Bucket | undefined;
  readonly #callerRate: Rate | undefined;
  readonly #buckets = new Map<string, Bucket>();
  readonly #counts = new Map<string, number>();
  readonly #queues = new Map<string, Waiter[]>();
  #waiting = 0;
  #underWay = 0;
  #started = 0;

  constructor(options: AdmissionOptions) {
    const { clock, rate, callerRate, parallel = 64, perCaller = 64, waiting = 20_000 } = options;
    this.#options = { clock, parallel, perCaller, waiting, patience: options.patience ?? 5000 };
    this.#callerRate = callerRate;
    this.#all = rate === undefined ? undefined : new Bucket(rate, clock.now());
  }

  /** How many wait. */
  get depth(): number {
    return this.#waiting;
  }

  /**
   * Does `work` when it is the turn of `caller`.
   * @param since when the call came in: what it waited for before counts as waiting too
   * @throws CaRefusal `overloaded` without doing it
   */
  async run<T>(
    caller: string,
    work: () => Promise<T>,
    since: number = this.#options.clock.now(),
  ): Promise<T> {
    const { perCaller } = this.#options;
    const count = this.#counts.get(caller) ?? 0;
    if (count >= perCaller) throw overloaded(`${caller} has ${count} requests under way`);
    this.#spend(caller);
    this.#counts.set(caller, count + 1);
    try {
      if (this.#room() && this.#waiting === 0) this.#begin();
      else await this.#turn(caller, since);
      try {
        return await work();
      } finally {
        this.#underWay -= 1;
        this.#next();
      }
    } finally {
      const left = (this.#counts.get(caller) ?? 1) - 1;
      if (left > 0) this.#counts.set(caller, left);
      else this.#counts.delete(caller);
    }
  }

  #room(): boolean {
    return this.#underWay < this.#options.parallel && this.#started < this.#options.parallel;
  }

  /** A signer that never waits would serve a flood to its end before it looked at anybody else: so many per loop turn. */
  #begin(): void {
    this.#underWay += 1;
    if (this.#started++ > 0) return;
    setImmediate(() => {
      this.#started = 0;
      this.#next();
    });
  }

  #spend(caller: string): void {
    const now = this.#options.clock.now();
    if (this.#callerRate !== undefined && !this.#bucketOf(caller, this.#callerRate, now).take(now))
      throw overloaded(`${caller} asks more often than it may`);
    if (this.#all !== undefined && !this.#all.take(now))
      throw overloaded('the rate of all callers is used up');
  }

  #bucketOf(caller: string, rate: Rate, now: number): Bucket {
    const known = this.#buckets.get(caller);
    if (known !== undefined) return known;
    if (this.#buckets.size >= 50_000) {
      for (const [name, bucket] of this.#buckets) if (bucket.full(now)) this.#buckets.delete(name);
      const [oldest] = this.#buckets.keys();
      if (this.#buckets.size >= 50_000 && oldest !== undefined) this.#buckets.delete(oldest);
    }
    const made = new Bucket(rate, now);
    this.#buckets.set(caller, made);
    return made;
  }

  #turn(caller: string, since: number): Promise<void> {
    if (this.#waiting >= this.#options.waiting) throw overloaded(`${this.#waiting} requests wait`);
    return new Promise((go, refuse) => {
      const waiter = { since, go, refuse };
      const queue = this.#queues.get(caller);
      if (queue === undefined) this.#queues.set(caller, [waiter]);
      else queue.push(waiter);
      this.#waiting += 1;
    });
  }

  /** The first waiter of the caller whose turn it is; that caller goes to the end of the round. */
  #next(): void {
    const { patience, clock } = this.#options;
    while (this.#waiting > 0 && this.#room()) {
      const [first] = this.#queues;
      if (first === undefined) return;
      const [caller, queue] = first;
      const waiter = queue.shift();
      this.#queues.delete(caller);
      if (queue.length > 0) this.#queues.set(caller, queue);
      if (waiter === undefined) continue;
      this.#waiting -= 1;
      if (clock.now() - waiter.since > patience) waiter.refuse(overloaded('waited too long for its turn'));
      else {
        this.#begin();
        waiter.go();
      }
    }
  }
}

/** A token bucket. */
class Bucket {
  readonly #rate: Rate;
  #left: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#left = rate.count;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#fill(now);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  full(now: number): boolean {
    this.#fill(now);
    return this.#left >= this.#rate.count;
  }

  #fill(now: number): void {
    const { count, period } = this.#rate;
    this.#left = Math.min(count, this.#left + (Math.max(0, now - this.#at) * count) / period);
    this.#at = now;
  }
}

function overloaded(reason: string): CaRefusal {
  return new CaRefusal('overloaded', 'too many certificate requests, try again later', reason);
}
