import { expect, test } from 'vitest';
import { seconds } from '../lib/duration.ts';
import { clusterProgress } from './cluster-progress.ts';

/** What is told of 100 clusters, one every two seconds. */
function toldOf(failed: (nth: number) => boolean): string[] {
  let time = 0;
  const told: string[] = [];
  const clock = { now: () => time, sleep: async () => {} };
  const next = clusterProgress({ total: 100, what: 'done', clock, tell: (line) => told.push(line) });
  for (let i = 0; i < 100; i++) {
    time += seconds(2);
    next(failed(i));
  }
  return told;
}

test('a long walk says every few seconds how far it is, and what is left at that pace', () => {
  const told = toldOf(() => false);
  expect(told.slice(0, 2)).toEqual([
    '  3 of 100 clusters done, about 3m left',
    '  6 of 100 clusters done, about 3m left',
  ]);
  expect(told.at(-1)).toBe('  99 of 100 clusters done, about 2.0s left');
});

test('it says how many failed so far', () => {
  expect(toldOf((nth) => nth < 2)[1]).toBe('  6 of 100 clusters done, 2 of them failed, about 3m left');
});

test('a short one says nothing', () => {
  const told: string[] = [];
  const clock = { now: () => 0, sleep: async () => {} };
  const next = clusterProgress({ total: 2, what: 'done', clock, tell: (line) => told.push(line) });
  next();
  next();
  expect(told).toEqual([]);
});
