import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

test('makes a thing once while it is asked for, and forgets what was not asked for longest', () => {
  const made: string[] = [];
  const recent = new Recent<string, string>(2);
  const ask = (key: string): string =>
    recent.get(key, () => {
      made.push(key);
      return key.toUpperCase();
    });
  expect(['a', 'b', 'a', 'c', 'a', 'b'].map(ask)).toEqual(['A', 'B', 'A', 'C', 'A', 'B']);
  expect(made).toEqual(['a', 'b', 'c', 'b']);
});

test('what could not be made is tried again', () => {
  const recent = new Recent<string, number>(2);
  const fail = (): number => {
    throw new Error('no');
  };
  expect(() => recent.get('a', fail)).toThrow('no');
  expect(recent.get('a', () => 1)).toBe(1);
});
