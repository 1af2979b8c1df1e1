import { expect, test } from 'vitest';
import { caSituations, situationProblem } from './situations.ts';
import { startOurs } from './start-ours.ts';

test.each(caSituations)('ours: $name', async (one) => {
  expect(await situationProblem(one, startOurs)).toBeUndefined();
});
