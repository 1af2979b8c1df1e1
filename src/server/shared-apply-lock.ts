import type { VaultClient } from '../client/vault-client.ts';
import type { Clock } from '../lib/clock.ts';
import { lockMesh } from './mesh-lock.ts';

/** The lock of `apply`, held by one process for all that it writes side by side: taken by the first, let go by the last. */
export class SharedApplyLock {
  readonly #clock: Clock;
  #users = 0;
  #held: Promise<() => Promise<void>> | undefined;
  /** Ends when the one that was held before is free. */
  #freed: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` under the lock. @throws MeshrootError `apply-running` when another process has it */
  async hold<T>(vault: VaultClient, work: () => Promise<T>): Promise<T> {
    this.#users++;
    this.#held ??= this.#freed.then(() => lockMesh({ vault, clock: this.#clock }));
    const held = this.#held;
    try {
      await held;
      return await work();
    } finally {
      if (--this.#users === 0) {
        this.#held = undefined;
        this.#freed = held.then((release) => release()).catch(() => {}); // or it was never had
        await this.#freed;
      }
    }
  }
}
