import { randomUUID } from 'node:crypto';
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
  const mine = { ...options, id: randomUUID() };
  let version = await take(vault, mine);
  const stop = new AbortController();
  const renewing = (async () => {
    for (;;) {
      await options.clock.sleep(renewEvery, stop.signal);
      version = await renew(vault, mine, version);
    }
  })().catch(() => {}); // stopped, or overtaken: then the other has seen this one dead
  return async () => {
    stop.abort();
    await renewing;
    await put(vault, {}, version).catch(() => {}); // it ends by itself
  };
}

interface Mine extends LockOptions {
  /** Tells this holder from every other, also from one of the same process. */
  readonly id: string;
}

async function take(vault: VaultClient, mine: Mine): Promise<number> {
  const { clock, self, isAlive } = mine;
  const { entry, version } = await look(vault);
  const until = Number(entry.until ?? 0);
  const dead = entry.host === self.host && !isAlive(Number(entry.pid));
  if (until > clock.now() && !dead) throw running(entry, until - clock.now());
  try {
    return await put(vault, entryOf(mine), version);
  } catch (error) {
    if (!(error instanceof MeshrootError) || error.status !== 400) throw error;
    const now = await look(vault);
    if (now.entry.id === mine.id) return now.version; // the answer to the first attempt was lost
    throw running(now.entry, patience);
  }
}

/** A Vault that is away for a moment must not cost the lock. @throws MeshrootError when another has it by now */
async function renew(vault: VaultClient, mine: Mine, version: number): Promise<number> {
  try {
    return await put(vault, entryOf(mine), version);
  } catch (error) {
    const now = await look(vault).catch(() => undefined);
    if (now === undefined) return version; // tried again at the next turn
    if (now.entry.id !== mine.id) throw error;
    return now.version;
  }
}

async function look(vault: VaultClient): Promise<{ entry: Record<string, unknown>; version: number }> {
  const data = (await vault.read(path))?.data;
  return {
    entry: isRecord(data?.data) ? data.data : {},
    version: isRecord(data?.metadata) ? Number(data.metadata.version ?? 0) : 0,
  };
}

const entryOf = ({ clock, self, id }: Mine) => ({ ...self, id, until: clock.now() + patience });

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
