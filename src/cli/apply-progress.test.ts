import { expect, test } from 'vitest';
import { seconds } from '../lib/duration.ts';
import { applyProgress } from './apply-progress.ts';

test('a long apply says every few seconds how far it is, and what is left at that pace', () => {
  let time = 0;
  const told: string[] = [];
  const clock = { now: () => time, sleep: async () => {} };
  const next = applyProgress(100, clock, (line) => told.push(line));
  for (let i = 0; i < 100; i++) {
    time += seconds(2);
    next();
  }
  expect(told.slice(0, 2)).toEqual([
    '  3 of 100 clusters done, about 3m left',
    '  6 of 100 clusters done, about 3m left',
  ]);
  expect(told.at(-1)).toBe('  99 of 100 clusters done, about 2.0s left');
});

test('a short one says nothing', () => {
  const told: string[] = [];
  const next = applyProgress(2, { now: () => 0, sleep: async () => {} }, (line) => told.push(line));
  next();
  next();
  expect(told).toEqual([]);
});
