import type { VaultClient } from '../client/vault-client.ts';
import type { Clock } from '../lib/clock.ts';
import { humanDuration, minutes, seconds } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import { isRecord } from '../lib/records.ts';
import { prepareState, stateMount } from '../rotation/state-mount.ts';

/** A holder that has not renewed for this long is gone, milliseconds. */
const patience = minutes(1);
const renewEvery = seconds(15);
const path = `${stateMount}/data/lock/apply`;

/** Who holds the lock; shown to who has to wait. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
}

export interface LockOptions {
  readonly clock: Clock;
  readonly self: Holder;
  /** Whether a process of this very machine is there. */
  isAlive(pid: number): boolean;
}

/**
 * One apply at a time: an entry in Vault, taken by check-and-set, renewed while the work goes on. That of a process which
 * was killed here is taken over at once, that of another machine after a minute.
 * @returns how to let go of it
 * @throws MeshrootError `apply-running`
 */
export async function takeApplyLock(vault: VaultClient, options: LockOptions): Promise<() => Promise<void>> {
  await prepareState(vault);
  let version = await take(vault, options);
  const stop = new AbortController();
  const renewing = (async () => {
    for (;;) {
      await options.clock.sleep(renewEvery, stop.signal);
      version = await put(vault, entryOf(options), version);
    }
  })().catch(() => {}); // stopped, or overtaken: then the other has seen this one dead
  return async () => {
    stop.abort();
    await renewing;
    await put(vault, {}, version).catch(() => {}); // it ends by itself
  };
}

async function take(vault: VaultClient, { clock, self, isAlive }: LockOptions): Promise<number> {
  const data = (await vault.read(path))?.data;
  const entry = isRecord(data?.data) ? data.data : {};
  const version = isRecord(data?.metadata) ? Number(data.metadata.version ?? 0) : 0;
  const until = Number(entry.until ?? 0);
  const dead = entry.host === self.host && !isAlive(Number(entry.pid));
  if (until > clock.now() && !dead) throw running(entry, until - clock.now());
  try {
    return await put(vault, entryOf({ clock, self }), version);
  } catch (error) {
    if (error instanceof MeshrootError && error.status === 400) throw running({}, patience);
    throw error;
  }
}

const entryOf = ({ clock, self }: Pick<LockOptions, 'clock' | 'self'>) => ({
  ...self,
  until: clock.now() + patience,
});

async function put(vault: VaultClient, data: object, version: number): Promise<number> {
  await vault.write(path, { data, options: { cas: version } });
  return version + 1;
}

function running({ host, pid }: Readonly<Record<string, unknown>>, left: number): MeshrootError {
  const who = host === undefined ? 'another apply' : `an apply of ${String(host)} (pid ${String(pid)})`;
  return new MeshrootError('apply-running', `${who} is at work on this mesh`, {
    hint: `wait for it; if it was killed there, try again in ${humanDuration(left)}`,
    exit: 1,
  });
}
