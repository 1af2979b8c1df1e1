import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median, percentile, spreadOf } from './statistics.ts';

test('the median of an odd number is the value in the middle, of an even number the mean of two', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
});

test('the median of nothing is no number', () => {
  expect(median([])).toBeNaN();
  expect(percentile([], 0.5)).toBeNaN();
});

test('a percentile is a value that was measured, by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(values, 0.5)).toBe(50);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile(values, 1)).toBe(100);
  expect(percentile([3], 0.99)).toBe(3);
});

test('the measured values are not reordered', () => {
  const values = [3, 1, 2];
  spreadOf(values);
  expect(values).toEqual([3, 1, 2]);
});

test('the median lies between least and most', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
      const { median: middle, min, max } = spreadOf(values);
      return min <= middle && middle <= max;
    }),
  );
});
