import { JoinOnce } from '../istio/ca-join.ts';
import { memoryTokens } from '../istio/ca-join-memory.ts';
import { vaultTokens } from '../istio/ca-join-vault.ts';
import type { CaSettings } from '../istio/ca-settings.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { openSession } from './ca-open-session.ts';

/** What remembers used tokens, and how to let go of it; says in the log what that is worth. */
export async function openJoin(
  { join }: Pick<CaSettings, 'join'>,
  clock: Clock,
  log: Logger,
): Promise<{ readonly joinOnce: JoinOnce | undefined; close(): void }> {
  if (join === undefined) return { joinOnce: undefined, close: () => {} };
  if (join.kind === 'memory') {
    log.warn('used tokens are remembered in memory: not after a restart, not by other replicas');
    return { joinOnce: new JoinOnce(memoryTokens(clock), clock), close: () => {} };
  }
  const session = await openSession(join.vault, clock);
  log.info(`used tokens are remembered at ${join.path} of ${join.vault.address}`);
  return { joinOnce: new JoinOnce(vaultTokens(session, join.path), clock), close: () => session.close() };
}
