import type { Clock } from '../lib/clock.ts';
import { decide, type Observation, type RotationState, type Step } from './decide.ts';
import type { JournalEntry, RotationJournal } from './journal.ts';

/** What a rotation reads and does; the run below only puts the pieces in order. */
export interface RotationWorld {
  readonly clock: Clock;
  readonly journal: Pick<RotationJournal, 'prepare' | 'read' | 'write'>;
  /** Looks at Vault, istiod's chain and a fresh workload certificate. */
  observe(state: RotationState | undefined): Promise<Observation>;
  /** Makes, judges and stores a new bundle. */
  issue(): Promise<void>;
  /** Told at every step, for people. */
  report(step: Step, state: RotationState | undefined): void;
}

/** How often the gates are looked at while waiting, milliseconds. */
const lookEvery = 250;

/**
 * Runs (or goes on with) the rotation of one cluster's intermediate until a fresh workload certificate confirms it.
 * May be killed at any instant: the journal and what can be observed say where to go on.
 * @returns the final state
 * @throws MeshrootError `rotation-stuck`, `rotation-overtaken`, `rotation-busy`
 */
export async function runRotation(
  cluster: string,
  world: RotationWorld,
  options: { signal: AbortSignal; restart: boolean },
): Promise<RotationState> {
  await world.journal.prepare();
  let entry = await world.journal.read();
  if (entry.state?.phase === 'confirmed' || options.restart) entry = { ...entry, state: undefined };
  for (;;) {
    options.signal.throwIfAborted();
    const seen = await world.observe(entry.state);
    const step = decide(entry.state, seen, world.clock.now());
    world.report(step, entry.state);
    if (step.do === 'finish' && entry.state !== undefined) return entry.state;
    entry = await take(step, entry, { cluster, world, seen, signal: options.signal });
  }
}

async function take(
  step: Step,
  entry: JournalEntry,
  {
    cluster,
    world,
    seen,
    signal,
  }: { cluster: string; world: RotationWorld; seen: Observation; signal: AbortSignal },
): Promise<JournalEntry> {
  const now = world.clock.now();
  switch (step.do) {
    case 'begin': {
      const started: RotationState = {
        cluster,
        phase: 'started',
        oldSerial: seen.stored,
        newSerial: undefined,
        enteredAt: { started: now },
      };
      return world.journal.write(started, entry.version);
    }
    case 'issue':
      await world.issue();
      return entry;
    case 'enter': {
      if (entry.state === undefined) return entry;
      const { phase, newSerial } = step;
      const next = {
        ...entry.state,
        phase,
        newSerial,
        enteredAt: { ...entry.state.enteredAt, [phase]: now },
      };
      return world.journal.write(next, entry.version);
    }
    case 'wait':
      await world.clock.sleep(lookEvery, signal);
      return entry;
    case 'stop':
      throw step.error;
    case 'finish':
      return entry;
  }
}
