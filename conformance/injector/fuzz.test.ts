import { expect, test } from 'vitest';
import { fuzzWebhook } from './fuzz.ts';

test('no damaged review takes the webhook down, and each is answered (npm run fuzz -- injector does 200,000)', async () => {
  const { runs, statuses, allowed, refused } = await fuzzWebhook(1000, 1);
  expect(Object.keys(statuses).sort()).toEqual(['200', '400', '500']);
  expect(Object.values(statuses).reduce((a, b) => a + b)).toBe(runs);
  expect(allowed).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});
