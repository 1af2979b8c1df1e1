import { describe, expect, test } from 'vitest';
import { TestClock } from '../test-core.ts';
import { Refusal } from './refusal.ts';
import { UserLockout } from './user-lockout.ts';

const minute = 60_000;

function isLocked(lockout: UserLockout, clock: TestClock): boolean {
  try {
    lockout.check('m', 'joe', clock);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code: 'user-locked', status: 403, errors: ['permission denied'] });
    return true;
  }
}

function fail(lockout: UserLockout, clock: TestClock, times: number): void {
  for (let i = 0; i < times; i++) lockout.failed('m', 'joe', clock);
}

describe('user lockout', () => {
  test('five failures lock for a quarter of an hour', () => {
    const clock = new TestClock();
    const lockout = new UserLockout();
    fail(lockout, clock, 4);
    expect(isLocked(lockout, clock)).toBe(false);
    fail(lockout, clock, 1);
    expect(isLocked(lockout, clock)).toBe(true);
    clock.time += 15 * minute - 1;
    expect(isLocked(lockout, clock)).toBe(true);
    clock.time += 1;
    expect(isLocked(lockout, clock)).toBe(false);
  });

  test('failures that lie a quarter of an hour apart are not counted together', () => {
    const clock = new TestClock();
    const lockout = new UserLockout();
    fail(lockout, clock, 4);
    clock.time += 15 * minute;
    fail(lockout, clock, 4);
    expect(isLocked(lockout, clock)).toBe(false);
  });

  test('a right password begins the count anew', () => {
    const clock = new TestClock();
    const lockout = new UserLockout();
    fail(lockout, clock, 4);
    lockout.succeeded('m', 'joe');
    fail(lockout, clock, 4);
    expect(isLocked(lockout, clock)).toBe(false);
  });
});
