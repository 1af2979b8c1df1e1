import type { Barrier } from './barrier.ts';
import type { Physical } from './physical.ts';
import { refuse } from './refusal.ts';
import { serverVersion } from './server-version.ts';
import { type StagedSnapshot, stageSnapshot } from './snapshot-restore.ts';
import { saveSnapshot } from './snapshot-save.ts';

/** Backups of the open store, and the one that waits to take its place. */
export class Snapshots {
  readonly #physical: Physical;
  readonly #barrier: Barrier;
  readonly #clusterId: string;
  #staged: StagedSnapshot | undefined;
  #isBusy = false;

  constructor(physical: Physical, barrier: Barrier, clusterId: string) {
    this.#physical = physical;
    this.#barrier = barrier;
    this.#clusterId = clusterId;
  }

  /** @param now milliseconds */
  save(now: number): AsyncIterable<Uint8Array> {
    return saveSnapshot({
      physical: this.#physical,
      barrier: this.#barrier,
      clusterId: this.#clusterId,
      serverVersion,
      now,
    });
  }

  /** @throws Refusal 400 for one that cannot be restored, and while another one waits */
  async stage(upload: AsyncIterable<Uint8Array>, force: boolean): Promise<void> {
    if (this.#isBusy) throw refuse('another snapshot is being restored', 400, 'restore-busy');
    this.#isBusy = true;
    try {
      this.#staged = await stageSnapshot(upload, {
        barrier: this.#barrier,
        force,
        folder: this.#physical.folder,
      });
    } finally {
      this.#isBusy = this.#staged !== undefined;
    }
  }

  /** What waits, for whoever swaps it in and discards it then. */
  take(): StagedSnapshot | undefined {
    const staged = this.#staged;
    this.#staged = undefined;
    this.#isBusy = false;
    return staged;
  }
}
