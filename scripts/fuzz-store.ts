/**
 * `npm run fuzz -- store [COUNT] [SEED]`: malformed requests against a store in this process. An answer that no code
 * expected ends the run with the request that did it; memory is printed on the way, and has to stay where it is.
 */
import { fuzzStore } from '../src/vault/test-fuzz.ts';

const count = Number(process.argv[3]) || 1_000_000;
const seed = Number(process.argv[4]) || 1;
const memory: number[] = [];
const { statuses, failures } = await fuzzStore({
  seed,
  count,
  onProgress: (done) => {
    memory.push(Math.round(process.memoryUsage.rss() / 1e6));
    if (done % 50_000 === 0) process.stderr.write(`  ${done} requests, ${memory.at(-1)} MB\n`);
  },
});
for (const failure of failures) process.stderr.write(`${failure}\n`);
process.stdout.write(`seed ${seed}: ${JSON.stringify(statuses)}, ${Math.max(...memory)} MB at most\n`);
process.exit(failures.length === 0 ? 0 : 1);
