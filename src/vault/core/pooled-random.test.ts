import { expect, test } from 'vitest';
import { pooledRandom } from './pooled-random.ts';

test('no bytes are handed out twice, and none are left of the zeros of an empty pool', () => {
  const random = pooledRandom();
  const drawn = Array.from({ length: 5000 }, (_, i) => random(12 + (i % 5)));
  expect(drawn.every((bytes, i) => bytes.length === 12 + (i % 5))).toBe(true);
  const texts = drawn.map((bytes) => bytes.subarray(0, 12).toString('hex'));
  expect(new Set(texts).size).toBe(5000);
  expect(texts.filter((text) => text.includes('0000000000'))).toEqual([]);
});

test('what was handed out is the caller’s own: writing to it changes nothing that comes', () => {
  const random = pooledRandom();
  random(64).fill(7);
  expect(random(64).equals(Buffer.alloc(64, 7))).toBe(false);
});

test('more than the pool is there, too', () => {
  const large = pooledRandom()(100_000);
  expect(large.length).toBe(100_000);
  expect(large.subarray(-32).equals(Buffer.alloc(32))).toBe(false);
});
