import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Lease } from './lease.ts';
import { putTime, readTime } from './leases.ts';
import type { Services } from './services.ts';
import type { Transaction } from './storage.ts';

const batch = 200;
const pause = 500;
const noteEvery = 10_000;
const retryAfter = 60_000;

/** Ends tokens and leases when their time has come, until `signal` aborts. Requests check the time themselves too. */
export async function expireLoop(
  services: Services,
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await noteTime(services);
      const done = await expireDue(services, log);
      if (done === batch) continue;
    } catch (error) {
      if (!signal.aborted)
        log.error('expired leases could not be ended, trying again', { error: messageOf(error) });
    }
    await clock.sleep(pause, signal).catch(() => {});
  }
}

/** A clock that is set back while the store is closed is noticed by what is written here. */
async function noteTime({ storage, leases }: Services): Promise<void> {
  const transaction = storage.begin(false);
  const now = leases.now();
  if (now - readTime(transaction) < noteEvery) return;
  putTime(transaction, now);
  await transaction.commit();
}

/** One round; how many leases were due. One that cannot be ended keeps no other from it. */
export async function expireDue(services: Services, log: Logger): Promise<number> {
  const due = services.leases.due(services.leases.now(), batch);
  if (due.length === 0) return 0;
  try {
    await commit(services, (transaction) => {
      for (const lease of due) endLease(services, transaction, lease);
    });
  } catch {
    for (const lease of due) await endAlone(services, lease, log);
  }
  return due.length;
}

async function endAlone(services: Services, lease: Lease, log: Logger): Promise<void> {
  try {
    await commit(services, (transaction) => endLease(services, transaction, lease));
  } catch (error) {
    log.error('a lease cannot be ended, trying again', { lease: lease.id, error: messageOf(error) });
    const retry = services.leases.now() + retryAfter;
    await commit(services, (transaction) => services.leases.put(transaction, { ...lease, retry }));
  }
}

async function commit({ storage }: Services, work: (transaction: Transaction) => void): Promise<void> {
  const transaction = storage.begin(false);
  work(transaction);
  await transaction.commit();
}

/**
 * Stages the end of a lease: of its token with all below it, or of the secret by its engine.
 * @throws whatever the engine says when it cannot end the secret
 */
export function endLease(
  { tokens, leases }: Pick<Services, 'tokens' | 'leases'>,
  transaction: Transaction,
  lease: Lease,
): void {
  if (lease.isToken) tokens.revoke(transaction, lease.tokenKey);
  else leases.revoke(transaction, lease);
}
