import type { Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';

export interface Check {
  /** Stable name, see design section 3. */
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Tells people what happens, a line per step with its time; says nothing in quiet mode. */
export class Steps {
  readonly #out: Writable;
  readonly #clock: Clock;
  readonly #quiet: boolean;

  constructor(out: Writable, clock: Clock, quiet: boolean) {
    this.#out = out;
    this.#clock = clock;
    this.#quiet = quiet;
  }

  /** Runs `work` and prints who, what it returned as text, and how long it took. */
  async step<T>(
    who: string,
    work: () => Promise<T>,
    describe: (result: T) => readonly [string, string?],
  ): Promise<T> {
    const start = this.#clock.now();
    const result = await work();
    const [what, where = ''] = describe(result);
    this.did(who, what, this.#clock.now() - start, where);
    return result;
  }

  /** A line about something that is done: who, what, how long it took, where to look. */
  did(who: string, what: string, milliseconds: number, where = ''): void {
    const took = `${(milliseconds / 1000).toFixed(1)}s`;
    this.line(`  ${who.padEnd(10)} ${what.padEnd(62)} ${took.padStart(6)}   ${where}`.trimEnd());
  }

  check({ name, ok, detail }: Check): void {
    this.line(`  ${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(30)} ${detail}`);
  }

  line(text: string): void {
    if (!this.#quiet) this.#out.write(`${text}\n`);
  }
}
