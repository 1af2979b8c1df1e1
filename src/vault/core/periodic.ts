import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from './barrier.ts';
import { fullPath, viewPrefix } from './mount-entry.ts';
import type { Mounted } from './router.ts';
import type { Services } from './services.ts';

const pause = 60_000;

export interface PeriodicOptions {
  readonly services: Services;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Lets every mount that wants it do its own work about once a minute, one after the other, until `signal` aborts. */
export async function periodicLoop(o: PeriodicOptions, signal: AbortSignal): Promise<void> {
  for (;;) {
    // Between half and one and a half: stores that were started together do not stay in step.
    const jittered = pause * (0.5 + o.random(4).readUInt32BE() / 2 ** 32);
    await o.clock.sleep(jittered, signal).catch(() => {});
    if (signal.aborted) return;
    await periodicRound(o, signal);
  }
}

/** One round. A mount whose work fails keeps no other from it. */
export async function periodicRound(o: PeriodicOptions, signal: AbortSignal): Promise<void> {
  const { router } = o.services;
  for (const mounted of [...router.all('secret'), ...router.all('auth')]) {
    if (signal.aborted) return;
    if (mounted.backend.periodic === undefined) continue;
    try {
      await work(o, mounted);
    } catch (error) {
      if (signal.aborted) return;
      o.log.error('the periodic work of a mount failed', {
        mount: fullPath(mounted.entry),
        error: messageOf(error),
      });
    }
  }
}

async function work(o: PeriodicOptions, { backend, entry }: Mounted): Promise<void> {
  const transaction = o.services.storage.begin(true);
  await backend.periodic?.({ ...o, mount: entry, store: transaction.at(viewPrefix(entry)) });
  // Undefined: somebody changed what was read; the next round comes.
  if (!transaction.isEmpty) await transaction.commit();
}
