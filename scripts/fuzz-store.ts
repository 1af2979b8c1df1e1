/**
 * `npm run fuzz -- store [COUNT] [SEED]`: malformed input against a store in this process. Of a million, seven tenths go to
 * what reads policies, tokens, JWTs, certificates, requests for them and bodies; 27 in 100 are whole requests; three in 100
 * are broken HTTP over sockets. What no code expected ends the run with the input that did it; what stays in memory
 * after each part is printed, and has to stay where it is.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzzStore } from '../src/vault/test-fuzz.ts';
import { fuzzParsers } from './fuzz-store-parsers.ts';
import { fuzzWire } from './fuzz-store-wire.ts';

const count = Number(process.argv[3]) || 1_000_000;
const seed = Number(process.argv[4]) || 1;
/** A store of its own each, for what is written stays in its memory. */
const perStore = 20_000;
const mostGrowthMb = 60;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const held: number[] = [];
let done = 0;

/** Megabytes of heap that nothing can give back. */
function note(more: number): void {
  collect();
  held.push(Math.round(process.memoryUsage().heapUsed / 1e6));
  done += more;
  process.stderr.write(`  ${done} inputs, ${held.at(-1)} MB held\n`);
}

function fail(why: string): never {
  process.stderr.write(`seed ${seed}: ${why}\n`);
  process.exit(1);
}

async function requests(most: number): Promise<Record<number, number>> {
  const all: Record<number, number> = {};
  for (let from = 0; from < most; from += perStore) {
    const part = Math.min(perStore, most - from);
    const { statuses, failures } = await fuzzStore({ seed: seed + from, count: part });
    if (failures.length > 0) fail(failures.join('\n'));
    for (const [status, times] of Object.entries(statuses))
      all[Number(status)] = (all[Number(status)] ?? 0) + times;
    note(part);
  }
  return all;
}

try {
  const onWire = Math.floor(count * 0.03);
  const asRequests = Math.floor(count * 0.27);
  const first = await requests(Math.min(asRequests, perStore)); // what is loaded and compiled is not growth
  const before = held.at(-1) ?? 0;
  const wire = await fuzzWire(seed, onWire);
  note(onWire);
  const rest = await requests(Math.max(0, asRequests - perStore));
  const parsed = count - onWire - asRequests;
  const refused = await fuzzParsers({ seed, count: parsed, onProgress: () => note(50_000) });
  const growth = Math.max(...held) - before;
  if (growth > mostGrowthMb) fail(`memory grew by ${growth} MB`);
  const texts = [
    `seed ${seed}: ${count} inputs`,
    `requests ${JSON.stringify(first)} ${JSON.stringify(rest)}`,
    `sockets ${JSON.stringify(wire)}`,
    `texts ${parsed}, of which ${refused} refused`,
    `held memory ${Math.min(...held)} to ${Math.max(...held)} MB`,
  ];
  process.stdout.write(`${texts.join('; ')}\n`);
  process.exit(0);
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
