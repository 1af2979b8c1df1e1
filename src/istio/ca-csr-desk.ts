import { Worker } from 'node:worker_threads';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { type CsrBatch, type CsrVerdict, csrOf } from './ca-csr-order.ts';
import { type CsrPolicy, defaultCsrPolicy, readCsr } from './ca-csr-rules.ts';
import { CaRefusal } from './ca-refusal.ts';
import type { WorkloadCsr } from './ca-signer.ts';

interface Waiter {
  readonly text: string;
  readonly uris: readonly string[];
  readonly policy: CsrPolicy;
  readonly done: (csr: WorkloadCsr) => void;
  readonly fail: (error: unknown) => void;
}

/** Requests that go over at a time: small enough that answers come back while the rest is judged. */
const mostInBatch = 32;
/** One is judged while the next one waits, so that the thread never runs dry. */
const mostBatches = 2;

/**
 * Judges requests on a second core, where half of the work of a certificate lies: a key is imported and a signature
 * checked. They go over in batches, because to wake another thread for each costs a good part of what it saves.
 */
export class CsrDesk {
  readonly #log: Logger;
  #worker: Worker | undefined;
  #waiting: Waiter[] = [];
  #under: Waiter[][] = [];
  #scheduled = false;

  private constructor(worker: Worker, log: Logger) {
    this.#worker = worker;
    this.#log = log;
    worker.unref();
    worker.on('message', (verdicts: readonly CsrVerdict[]) => this.#take(verdicts));
    worker.on('error', (error) => this.#lose(messageOf(error)));
    worker.on('exit', (code) => this.#lose(`it ended with ${code}`));
  }

  /** Undefined where the thread's program is not built: then `readCsr` does the work. */
  static open(log: Logger, script = new URL('./ca-csr-worker.js', import.meta.url)): CsrDesk | undefined {
    if (import.meta.url.endsWith('.ts') && script.pathname.endsWith('ca-csr-worker.js')) return undefined;
    log.info('certificate requests are judged by a thread of their own');
    return new CsrDesk(new Worker(script, { env: {}, execArgv: [], resourceLimits }), log);
  }

  /** As `readCsr`. @throws CaRefusal as it does */
  read(text: string, uris: readonly string[], policy: CsrPolicy): Promise<WorkloadCsr> {
    if (this.#worker === undefined) return readCsr(text, uris, policy);
    return new Promise((done, fail) => {
      this.#waiting.push({ text, uris, policy, done, fail });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#send();
      });
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #send(): void {
    while (this.#waiting.length > 0 && this.#under.length < mostBatches) {
      const batch = this.#nextBatch();
      this.#under.push(batch.waiters);
      this.#worker?.postMessage(batch.message);
    }
  }

  /** Those at the front that are judged alike: all, as long as the settings are the same for everybody. */
  #nextBatch(): { readonly waiters: Waiter[]; readonly message: CsrBatch } {
    const policy = this.#waiting[0]?.policy ?? defaultCsrPolicy;
    const other = this.#waiting.findIndex((one) => one.policy !== policy);
    const waiters = this.#waiting.splice(0, Math.min(mostInBatch, other === -1 ? mostInBatch : other));
    return { waiters, message: { policy, orders: waiters.map(({ text, uris }) => [text, uris]) } };
  }

  #take(verdicts: readonly CsrVerdict[]): void {
    const batch = this.#under.shift() ?? [];
    this.#send();
    for (const [i, { text, done, fail }] of batch.entries()) {
      const verdict = verdicts[i];
      try {
        if (verdict === undefined) throw new CaRefusal('internal', 'internal error', 'no verdict');
        done(csrOf(verdict, text));
      } catch (error) {
        fail(error);
      }
    }
  }

  /** The thread is gone: from now on the work is done here, also that which it had. */
  #lose(why: string): void {
    if (this.#worker === undefined) return;
    this.#worker = undefined;
    this.#log.error(`the thread that judges requests is gone (${why}): the main thread does it now`);
    const left = [...this.#under.flat(), ...this.#waiting];
    this.#under = [];
    this.#waiting = [];
    for (const { text, uris, policy, done, fail } of left) readCsr(text, uris, policy).then(done, fail);
  }
}

/** A request is 64 KiB at most and forgotten at once: little memory does, and what needs more is a fault. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 };
