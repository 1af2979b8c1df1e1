import { describe, expect, test } from 'vitest';
import { CallIntake } from './call-intake.ts';

describe('how many calls are let in', () => {
  test('a full server refuses who has calls open, and lets in who has none, up to twice as many', () => {
    const intake = new CallIntake(3);
    const [greedy, honest, third, fourth, late] = [{}, {}, {}, {}, {}];
    expect([1, 2, 3, 4].map(() => intake.enter(greedy))).toEqual([true, true, true, false]);
    expect([honest, third, fourth].map((one) => intake.enter(one))).toEqual([true, true, true]);
    expect(intake.enter(honest)).toBe(false);
    expect(intake.enter(late)).toBe(false);
    expect(intake.open).toBe(6);
  });

  test('what ends makes room, once', () => {
    const intake = new CallIntake(1);
    const [one, other] = [{}, {}];
    intake.enter(one);
    expect(intake.enter(one)).toBe(false);
    intake.leave(one);
    intake.leave(one);
    intake.leave(other);
    expect(intake.open).toBe(0);
    expect(intake.enter(one)).toBe(true);
    expect(intake.enter(one)).toBe(false);
  });
});
