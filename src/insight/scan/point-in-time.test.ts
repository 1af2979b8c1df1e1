import { expect, test } from 'vitest';
import { days } from '../../lib/duration.ts';
import { agoOrIn } from './day-count.ts';
import { pointInTime } from './point-in-time.ts';

const now = Date.UTC(2026, 0, 1);

test.each([
  ['+400d', now + days(400)],
  ['-1d', now - days(1)],
  ['2027-01-31', Date.UTC(2027, 0, 31)],
  ['2027-01-31T12:30', Date.UTC(2027, 0, 31, 12, 30)],
  ['2027-01-31T12:30:00Z', Date.UTC(2027, 0, 31, 12, 30)],
])('%s is a point in time', (text, ms) => {
  expect(pointInTime(text, now)).toBe(ms);
});

test.each(['tomorrow', '2027-13-01', '31.01.2027', ''])('%j is none', (text) => {
  expect(() => pointInTime(text, now)).toThrow(expect.objectContaining({ code: 'bad-date' }));
});

test('a wrong duration keeps its own words', () => {
  expect(() => pointInTime('+4x', now)).toThrow(expect.objectContaining({ code: 'bad-duration' }));
});

test('day counts stand beside dates', () => {
  expect(agoOrIn(now - days(736), now)).toBe('736d ago');
  expect(agoOrIn(now + days(22.5), now)).toBe('in 22d');
  expect(agoOrIn(now + 1, now)).toBe('within a day');
});
