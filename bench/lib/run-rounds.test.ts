import { expect, test } from 'vitest';
import { runRounds } from './run-rounds.ts';

test('every variant runs once a round, and the order turns round every time', async () => {
  const order: string[] = [];
  const variants = ['a', 'b', 'c'].map((name) => ({
    name,
    run: async () => {
      order.push(name);
      return { seconds: order.length };
    },
  }));
  const results = await runRounds(variants, 2);
  expect(order.join('')).toBe('abccba');
  expect(results.get('a')).toEqual([{ seconds: 1 }, { seconds: 6 }]);
});

test('a variant that fails stops the run with its reason', async () => {
  const broken = { name: 'a', run: () => Promise.reject(new Error('no port')) };
  await expect(runRounds([broken], 1)).rejects.toThrow('no port');
});
