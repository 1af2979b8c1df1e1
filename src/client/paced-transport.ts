import type { Clock } from '../lib/clock.ts';
import type { Transport } from './transport.ts';

/**
 * The same transport, which begins at most so many requests in a second: those that come too early wait for their turn.
 * What was not used in the past is not saved up, so that a Vault never meets a burst.
 */
export function pacedTransport(inner: Transport, perSecond: number, clock: Clock): Transport {
  const pace = 1000 / perSecond;
  let next = 0;
  return {
    close: () => inner.close(),
    send: async (...request) => {
      const now = clock.now();
      const mine = Math.max(next, now);
      next = mine + pace;
      if (mine > now) await clock.sleep(mine - now);
      return inner.send(...request);
    },
  };
}
