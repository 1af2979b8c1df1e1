import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedKeys } from './sorted-keys.ts';

test('keeps the order of a sorted list through many additions and removals', () => {
  const steps = fc.array(fc.record({ key: fc.nat(1500), isAdded: fc.boolean() }), {
    minLength: 3000,
    maxLength: 3000,
  });
  fc.assert(
    fc.property(steps, fc.nat(1500), (changes, from) => {
      const [keys, all] = [new SortedKeys(), new Set<string>()];
      for (let i = 0; i < 1500; i++) {
        keys.add(`k${i}`);
        all.add(`k${i}`);
      }
      for (const { key, isAdded } of changes) {
        keys[isAdded ? 'add' : 'delete'](`k${key}`);
        all[isAdded ? 'add' : 'delete'](`k${key}`);
      }
      const wanted = [...all].sort();
      expect([...keys.from('')]).toEqual(wanted);
      expect([...keys.from(`k${from}`)]).toEqual(wanted.filter((key) => key >= `k${from}`));
    }),
    { numRuns: 5 },
  );
});

test('what has become empty takes new keys', () => {
  const keys = new SortedKeys();
  for (let i = 0; i < 2000; i++) keys.add(String(i));
  for (let i = 0; i < 2000; i++) keys.delete(String(i));
  expect([...keys.from('')]).toEqual([]);
  keys.add('a');
  expect([...keys.from('')]).toEqual(['a']);
});
