/**
 * Kills the store with SIGKILL at random instants while eight writers change it, and now and then while it starts; looks
 * after each restart whether everything that was acknowledged is there and nothing is half there. Then damages the tail of
 * its file. A killed process loses nothing that it gave to the system: what a loss of power takes is not tried here.
 *
 * npm run test:crash [-- --rounds 200] [--seed 1]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corruptTail } from './corrupt-tail.ts';
import { CrashJournal } from './crash-journal.ts';
import { writeLane } from './crash-lane.ts';
import { type StoreKeys, StoreProcess } from './store-process.ts';
import { checkRelations } from './store-relations.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const rounds = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), 'crash-'));

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32), so that a failure can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Round {
  readonly store: StoreProcess;
  readonly keys: StoreKeys;
  readonly journal: CrashJournal;
  readonly random: () => number;
}

async function round({ store, keys, journal, random }: Round): Promise<void> {
  if (random() < 0.15) await killAtStart(store, keys, random() * 900);
  const client = await store.open(keys);
  await journal.check(client);
  // Counted in changes: a busy machine acknowledges nothing in a time that is plenty elsewhere.
  const soon = random() * 10;
  journal.after(1 + Math.floor(random() * 100), () => setTimeout(() => store.kill('SIGKILL'), soon));
  const lanes = Array.from({ length: 8 }, (_, lane) =>
    writeLane(client, journal, lane, Math.floor(random() * 50)),
  );
  await Promise.all(lanes);
  store.kill('SIGKILL'); // all lanes may have lost their patience with a slow machine before
  await store.gone();
  client.close();
}

/** Before, while or after it opens its file and is unsealed. */
async function killAtStart(store: StoreProcess, keys: StoreKeys, after: number): Promise<void> {
  const timer = setTimeout(() => store.kill('SIGKILL'), after);
  const opened = await store.open(keys).catch(() => undefined);
  opened?.close();
  clearTimeout(timer);
  store.kill('SIGKILL');
  await store.gone();
}

const store = new StoreProcess(folder);
try {
  const random = randomOf(Number(values.seed));
  const { client: first, keys } = await store.initialise();
  await first.write('sys/mounts/kv2', { type: 'kv', options: { version: '2' } });
  first.close();
  store.kill('SIGKILL');
  await store.gone();
  const journal = new CrashJournal();
  let entries = 0;
  for (let i = 1; i <= rounds; i++) {
    await round({ store, keys, journal, random });
    entries = await checkRelations(folder, keys);
    if (i % 20 === 0)
      process.stderr.write(
        `  ${i} kills, ${journal.size} acknowledged changes, all there so far, ${entries} entries\n`,
      );
  }
  await journal.checkAll(await store.open(keys));
  store.kill('SIGKILL');
  await store.gone();
  process.stdout.write(
    `${rounds} kills, ${journal.size} acknowledged changes, none lost, none of ${entries} entries half there\n`,
  );
  const { refused, whole } = await corruptTail(folder, keys, journal, random);
  process.stdout.write(
    `bad tails: ${refused} refused with a clear error, ${whole} needed by nothing, nothing acknowledged lost\n`,
  );
} finally {
  store.kill('SIGKILL');
  await store.gone();
  rmSync(folder, { recursive: true, force: true });
}
