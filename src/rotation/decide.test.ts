import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type Observation, patience, type RotationState } from './decide.ts';

const now = Date.parse('2026-11-22T12:00:00Z');
const nothing: Observation = { stored: undefined, served: undefined, issuing: undefined };
const state = (over: Partial<RotationState>): RotationState => ({
  cluster: 'cluster1',
  phase: 'started',
  oldSerial: 'aa',
  newSerial: undefined,
  enteredAt: { started: now, stored: now, delivered: now },
  ...over,
});

describe('the next step of a rotation', () => {
  test('without a journal it begins', () => {
    expect(decide(undefined, nothing, now)).toEqual({ do: 'begin' });
  });

  test('started, and Vault still holds the old one: a new one is issued', () => {
    expect(decide(state({}), { ...nothing, stored: 'aa' }, now)).toEqual({ do: 'issue' });
  });

  test('started, and Vault holds another one: the crash came after storing, so it is noted, not issued again', () => {
    expect(decide(state({}), { ...nothing, stored: 'bb' }, now)).toEqual({
      do: 'enter',
      phase: 'stored',
      newSerial: 'bb',
    });
  });

  test('stored waits until istiod serves exactly that one', () => {
    const stored = state({ phase: 'stored', newSerial: 'bb' });
    expect(decide(stored, { stored: 'bb', served: 'aa', issuing: undefined }, now)).toMatchObject({
      do: 'wait',
    });
    expect(decide(stored, { stored: 'bb', served: 'bb', issuing: undefined }, now)).toEqual({
      do: 'enter',
      phase: 'delivered',
      newSerial: 'bb',
    });
  });

  test('delivered waits for a fresh workload certificate, confirmed is the end', () => {
    const delivered = state({ phase: 'delivered', newSerial: 'bb' });
    expect(decide(delivered, { stored: 'bb', served: 'bb', issuing: 'aa' }, now)).toMatchObject({
      do: 'wait',
    });
    expect(decide(delivered, { stored: 'bb', served: 'bb', issuing: 'bb' }, now)).toMatchObject({
      phase: 'confirmed',
    });
    expect(decide(state({ phase: 'confirmed', newSerial: 'bb' }), nothing, now)).toEqual({ do: 'finish' });
  });

  test('someone else replaced the bundle: it stops and says so', () => {
    const step = decide(state({ phase: 'stored', newSerial: 'bb' }), { ...nothing, stored: 'cc' }, now);
    expect(step).toMatchObject({ do: 'stop', error: { code: 'rotation-overtaken' } });
  });

  test('after ten minutes without delivery a person is asked, and the old one stays in force', () => {
    const late = decide(
      state({ phase: 'stored', newSerial: 'bb' }),
      { ...nothing, stored: 'bb' },
      now + patience + 1,
    );
    expect(late).toMatchObject({ do: 'stop', error: { code: 'rotation-stuck' } });
  });

  test('no order of observations skips a gate: confirmed is entered only when the new serial was issuing', () => {
    const serial = fc.constantFrom(undefined, 'aa', 'bb');
    fc.assert(
      fc.property(
        fc.array(fc.record({ stored: serial, served: serial, issuing: serial }), { maxLength: 20 }),
        (seen) => {
          let current: RotationState = state({});
          for (const observation of seen) {
            const step = decide(current, observation, now);
            if (step.do !== 'enter') continue;
            if (step.phase === 'delivered') expect(observation.served).toBe(current.newSerial);
            if (step.phase === 'confirmed') expect(observation.issuing).toBe(current.newSerial);
            current = { ...current, phase: step.phase, newSerial: step.newSerial };
          }
        },
      ),
    );
  });
});
