import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExpiryHeap } from './expiry-heap.ts';

test('whatever is pushed comes out in order of time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), (times) => {
      const heap = new ExpiryHeap();
      for (const time of times) heap.push(time, String(time));
      const out: number[] = [];
      for (let id = heap.popDue(1000); id !== undefined; id = heap.popDue(1000)) out.push(Number(id));
      expect(out).toEqual([...times].sort((a, b) => a - b));
    }),
  );
});

test('what is not due stays', () => {
  const heap = new ExpiryHeap();
  heap.push(10, 'a');
  expect(heap.popDue(9)).toBeUndefined();
  expect(heap.next()).toBe(10);
  expect(heap.popDue(10)).toBe('a');
  expect(heap.size).toBe(0);
});
