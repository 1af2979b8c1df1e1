import { expect, test } from 'vitest';
import { EntryCache } from './entry-cache.ts';

const entry = (value: number) => ({ value, bytes: 100 });
/** Each entry counts 300 bytes: a generation is full with the eleventh. */
const cacheBytes = 2 * 10 * 300;

test('keeps what is asked for, forgets what is not, and never holds more than it may', () => {
  const cache = new EntryCache<ReturnType<typeof entry>>(cacheBytes);
  cache.set('asked', entry(-1));
  for (let i = 0; i < 200; i++) {
    cache.set(`once/${i}`, entry(i));
    expect(cache.get('asked')?.value).toBe(-1);
  }
  const held = Array.from({ length: 200 }, (_, i) => cache.get(`once/${i}`)).filter((found) => found);
  expect(held.length).toBeGreaterThan(5);
  expect(held.length).toBeLessThan(22);
  expect(cache.get('once/0')).toBeUndefined();
});

test('a new value takes the place of the one before, in whichever generation that is', () => {
  const cache = new EntryCache<ReturnType<typeof entry>>(cacheBytes);
  cache.set('a', entry(1));
  for (let i = 0; i < 12; i++) cache.set(`fill/${i}`, entry(i));
  cache.set('a', entry(2));
  expect(cache.get('a')?.value).toBe(2);
  cache.delete('a');
  expect(cache.get('a')).toBeUndefined();
});
