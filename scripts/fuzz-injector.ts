import { parseArgs } from 'node:util';
import { fuzzWebhook } from '../conformance/injector/fuzz.ts';

/** `npm run fuzz -- injector [--runs N] [--seed N]`: far more damaged inputs than a test run has time for. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '200000' }, seed: { type: 'string' } },
});

const rooms: Readonly<Record<string, (runs: number, seed: number) => Promise<object>>> = {
  injector: fuzzWebhook,
};

const fuzz = rooms[positionals[0] ?? ''];
if (fuzz === undefined) {
  process.stderr.write(`usage: npm run fuzz -- ${Object.keys(rooms).join('|')} [--runs N] [--seed N]\n`);
  process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
try {
  const start = performance.now();
  const result = await fuzz(Number(values.runs), seed);
  const seconds = (performance.now() - start) / 1000;
  process.stdout.write(`${JSON.stringify({ ...result, seed, seconds: Math.round(seconds) })}\n`);
} catch (error) {
  process.stderr.write(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
