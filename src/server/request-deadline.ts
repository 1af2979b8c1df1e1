import { AsyncLocalStorage } from 'node:async_hooks';

const deadlines = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs one call of a client; what it asks of others ends after `ms` milliseconds. The call then answers as it does when those
 * cannot be reached: the real one cancels in the same way.
 */
export function withinDeadline<T>(ms: number | undefined, work: () => Promise<T>): Promise<T> {
  return ms === undefined ? work() : deadlines.run(AbortSignal.timeout(ms), work);
}

/** Ends at the deadline of the call that is under way, after `ms` milliseconds in any case. */
export function outboundSignal(ms: number): AbortSignal {
  const own = AbortSignal.timeout(ms);
  const deadline = deadlines.getStore();
  return deadline === undefined ? own : AbortSignal.any([own, deadline]);
}
