import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Refusal } from '../../core/refusal.ts';
import { checkBoundClaims, claimOf } from './claims.ts';

const fits = (pattern: string, value: string): boolean => {
  try {
    checkBoundClaims({ c: pattern }, 'glob', { c: value });
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    return false;
  }
};

test('globs fit as the same regular expression would', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '*')).map((parts) => parts.join(''));
  const words = fc.array(fc.constantFrom('a', 'b')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(letters, words, (pattern, value) => {
      const same = new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(value);
      expect(fits(pattern, value)).toBe(same);
    }),
  );
});

test('claims are found by name or by pointer, never in a prototype', () => {
  const claims = { 'a/b': 1, nested: { 'x/y': 'z' } };
  expect(claimOf(claims, 'a/b')).toBe(1);
  expect(claimOf(claims, '/nested/x~1y')).toBe('z');
  expect(claimOf(claims, 'constructor')).toBeUndefined();
  expect(claimOf(claims, '/nested/__proto__')).toBeUndefined();
});
