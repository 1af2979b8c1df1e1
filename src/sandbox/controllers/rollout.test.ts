import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { amount, type Rollout, rolloutStep } from './rollout.ts';

const base: Rollout = {
  desired: 4,
  recreate: false,
  maxSurge: '25%',
  maxUnavailable: '25%',
  newest: { replicas: 0, available: 0 },
  old: [],
};

describe('a rollout', () => {
  test('starts with everything when there is nothing old', () => {
    expect(rolloutStep(base)).toEqual({ newest: 4, old: [] });
  });
  test('adds as many as may be too many, and removes as many as may be missing', () => {
    const step = rolloutStep({ ...base, old: [{ replicas: 4, running: 4 }] });
    expect(step).toEqual({ newest: 1, old: [3] });
  });
  test('of one replica waits for the new one before it ends the old one', () => {
    const one = { ...base, desired: 1, old: [{ replicas: 1, running: 1 }] };
    expect(rolloutStep(one)).toEqual({ newest: 1, old: [1] });
    expect(rolloutStep({ ...one, newest: { replicas: 1, available: 1 } })).toEqual({ newest: 1, old: [0] });
  });
  test('that recreates ends all old ones first', () => {
    const recreate = { ...base, recreate: true };
    expect(rolloutStep({ ...recreate, old: [{ replicas: 4, running: 4 }] })).toEqual({ newest: 0, old: [0] });
    expect(rolloutStep({ ...recreate, old: [{ replicas: 0, running: 1 }] })).toEqual({ newest: 0, old: [0] });
    expect(rolloutStep({ ...recreate, old: [{ replicas: 0, running: 0 }] })).toEqual({ newest: 4, old: [0] });
  });
  test('always comes to an end within its bounds', () => {
    const share = fc.oneof(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), share, share, (desired, maxSurge, maxUnavailable) => {
        let rollout: Rollout = {
          ...base,
          desired,
          maxSurge,
          maxUnavailable,
          old: [{ replicas: desired, running: desired }],
        };
        const most = desired + amount(maxSurge, desired, Math.ceil);
        for (let i = 0; i < 50; i++) {
          const step = rolloutStep(rollout);
          expect(step.newest + (step.old[0] ?? 0)).toBeLessThanOrEqual(Math.max(most, desired));
          const old = step.old[0] ?? 0;
          rollout = {
            ...rollout,
            newest: { replicas: step.newest, available: step.newest },
            old: [{ replicas: old, running: old }],
          };
        }
        expect([rollout.newest.replicas, rollout.old[0]?.replicas]).toEqual([desired, 0]);
      }),
    );
  });
});
