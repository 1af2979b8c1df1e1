import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { deleteLease } from './leases.ts';
import type { Services } from './services.ts';

const batch = 200;
const pause = 500;

/** Ends tokens and leases when their time has come, until `signal` aborts. Requests check the time themselves too. */
export async function expireLoop(
  services: Services,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const done = await expireDue(services, clock.now());
      if (done === batch) continue;
    } catch (error) {
      if (!signal.aborted)
        log.error('expired leases could not be ended, trying again', { error: messageOf(error) });
    }
    await clock.sleep(pause, signal).catch(() => {});
  }
}

/** One round; how many leases were ended. */
export async function expireDue(services: Services, now: number): Promise<number> {
  const due = services.leases.due(now, batch);
  if (due.length === 0) return 0;
  try {
    const transaction = services.storage.begin(false);
    for (const lease of due) {
      if (lease.isToken) services.tokens.revoke(transaction, lease.tokenKey);
      else deleteLease(transaction, services.leases, lease.id);
    }
    await transaction.commit();
  } catch (error) {
    for (const lease of due) services.leases.set(lease);
    throw error;
  }
  return due.length;
}
