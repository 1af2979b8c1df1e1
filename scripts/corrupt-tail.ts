import { readFileSync, writeFileSync } from 'node:fs';
import type { VaultClient } from '../src/client/vault-client.ts';
import type { CrashJournal } from './crash-journal.ts';
import { type StoreKeys, StoreProcess } from './store-process.ts';

export interface TailCount {
  refused: number;
  whole: number;
}

/**
 * Damages the tail of a killed store's file in several ways: the server either says at its start what is wrong and leaves
 * the file as it is, or everything that was acknowledged is there.
 * @throws Error naming what went wrong
 */
export async function corruptTail(
  folder: string,
  keys: StoreKeys,
  journal: CrashJournal,
  random: () => number,
): Promise<TailCount> {
  const file = `${folder}/data/store.mdb`;
  const whole = readFileSync(file);
  const count: TailCount = { refused: 0, whole: 0 };
  for (const damage of damages(whole, random)) {
    writeFileSync(file, damage);
    const store = new StoreProcess(folder);
    const refusal = await checked(store, keys, journal);
    if (refusal === undefined) count.whole++;
    else {
      count.refused++;
      if (!/is cut off|is damaged/.test(refusal))
        throw new Error(`no clear error for a bad tail: ${refusal}`);
      if (!readFileSync(file).equals(damage)) throw new Error('a refused file was changed');
    }
  }
  writeFileSync(file, whole);
  if ((await checked(new StoreProcess(folder), keys, journal)) !== undefined)
    throw new Error('the whole file was refused');
  return count;
}

/** Undefined when the store opens and has everything; else what it says. */
async function checked(
  store: StoreProcess,
  keys: StoreKeys,
  journal: CrashJournal,
): Promise<string | undefined> {
  let client: VaultClient;
  try {
    client = await store.open(keys);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  try {
    await journal.checkAll(client);
  } finally {
    client.close();
    store.kill('SIGKILL');
    await store.gone();
  }
  return undefined;
}

/** Cut off, zeroed, flipped, and longer by garbage. */
function damages(whole: Buffer, random: () => number): Buffer[] {
  const tail = (share: number): number => whole.length - Math.floor(random() * whole.length * share);
  const zeroed = (from: number): Buffer => Buffer.from(whole).fill(0, from);
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(whole);
    copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    return copy;
  };
  return [
    ...[0.001, 0.1, 0.5, 0.9].map((share) => whole.subarray(0, tail(share))),
    whole.subarray(0, 4096),
    ...[0.01, 0.2].map((share) => zeroed(tail(share))),
    ...[0.1, 0.3, 0.5, 1].map((share) => flipped(tail(share) - 1)),
    Buffer.concat([whole, Buffer.alloc(50_000, 0xaa)]),
  ];
}
