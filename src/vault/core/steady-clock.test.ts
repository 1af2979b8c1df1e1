import { expect, test } from 'vitest';
import { SteadyClock } from './steady-clock.ts';

test('a clock that jumps back is noticed once, and time goes on from where it was', () => {
  let wall = 1000;
  const jumps: number[] = [];
  const clock = new SteadyClock(
    () => wall,
    0,
    (ms) => jumps.push(ms),
  );
  const seen = [1000, 1500, 200, 300, 5000].map((time) => {
    wall = time;
    return clock.now();
  });
  expect(seen).toEqual([1000, 1500, 1500, 1600, 6300]);
  expect(jumps).toEqual([1300]);
});

test('after a restart it begins where it was last seen', () => {
  const clock = new SteadyClock(
    () => 100,
    700,
    () => {},
  );
  expect(clock.now()).toBe(700);
});
