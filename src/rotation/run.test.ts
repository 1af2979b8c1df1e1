import { describe, expect, test } from 'vitest';
import type { Clock } from '../lib/clock.ts';
import type { Observation, RotationState, Step } from './decide.ts';
import type { JournalEntry } from './journal.ts';
import { type RotationWorld, runRotation } from './run.ts';

/** A mesh in memory: Vault holds a serial, istiod follows after `lag` looks. */
class FakeMesh implements RotationWorld {
  stored = 'aa';
  served = 'aa';
  issued = 0;
  entry: JournalEntry = { state: undefined, version: 0 };
  steps: Step['do'][] = [];
  /** Dies (throws) right after the named event, once. */
  dieAfter: string | undefined;
  #lag = 2;
  #now = 0;

  readonly clock: Clock = {
    now: () => this.#now,
    sleep: async (ms) => {
      this.#now += ms;
      if (--this.#lag <= 0) this.served = this.stored;
    },
  };

  readonly journal = {
    prepare: async () => {},
    read: async () => this.entry,
    write: async (state: RotationState, version: number) => {
      if (version !== this.entry.version) throw new Error('lost the race');
      this.#die(`before ${state.phase}`);
      this.entry = { state, version: version + 1 };
      this.#die(`after ${state.phase}`);
      return this.entry;
    },
  };

  async observe(): Promise<Observation> {
    return { stored: this.stored, served: this.served, issuing: this.served };
  }

  async issue(): Promise<void> {
    this.#die('before issue');
    this.issued++;
    this.stored = `b${this.issued}`;
    this.#die('after issue');
  }

  report(step: Step): void {
    this.steps.push(step.do);
  }

  #die(at: string): void {
    if (this.dieAfter !== at) return;
    this.dieAfter = undefined;
    throw new Error(`killed ${at}`);
  }
}

const options = { signal: new AbortController().signal, restart: false };

describe('a rotation', () => {
  test('goes through its gates to a confirmed new intermediate', async () => {
    const mesh = new FakeMesh();
    const state = await runRotation('cluster1', mesh, options);
    expect(state).toMatchObject({ phase: 'confirmed', oldSerial: 'aa', newSerial: 'b1' });
    expect(mesh.steps).toEqual(['begin', 'issue', 'enter', 'wait', 'wait', 'enter', 'enter', 'finish']);
  });

  const deaths = ['before', 'after'].flatMap((when) =>
    ['started', 'issue', 'stored', 'delivered', 'confirmed'].map((what) => `${when} ${what}`),
  );
  test.each(deaths)('killed %s, the next run ends it with exactly one new intermediate', async (at) => {
    const mesh = new FakeMesh();
    mesh.dieAfter = at;
    await expect(runRotation('cluster1', mesh, options)).rejects.toThrow(`killed ${at}`);
    if (at === 'after confirmed') {
      expect(mesh.entry.state?.phase).toBe('confirmed'); // it was over; a further run would be a new rotation
    } else {
      await runRotation('cluster1', mesh, options);
    }
    expect(mesh.issued).toBe(1);
    expect(mesh.entry.state).toMatchObject({ phase: 'confirmed', newSerial: 'b1' });
  });

  test('an abort ends the waiting', async () => {
    const mesh = new FakeMesh();
    const stop = new AbortController();
    stop.abort(new Error('ctrl-c'));
    await expect(runRotation('cluster1', mesh, { signal: stop.signal, restart: false })).rejects.toThrow(
      'ctrl-c',
    );
  });
});
