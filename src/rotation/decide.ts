import { MeshrootError } from '../lib/errors.ts';

/**
 * How far the rotation of one cluster's intermediate has come. Each phase is entered on an observation, never on a
 * timer: `started` a new one is wanted, `stored` Vault holds it, `delivered` istiod serves it, `confirmed` a fresh
 * workload certificate comes from it.
 */
export type Phase = 'started' | 'stored' | 'delivered' | 'confirmed';

/** What is known of a rotation; kept in Vault, written with check-and-set. */
export interface RotationState {
  readonly cluster: string;
  readonly phase: Phase;
  /** Serials in lower-case hex. */
  readonly oldSerial: string | undefined;
  readonly newSerial: string | undefined;
  /** When each phase was entered, milliseconds since the epoch. */
  readonly enteredAt: Readonly<Partial<Record<Phase, number>>>;
}

/** What was seen just now; undefined = could not be seen. */
export interface Observation {
  /** Serial of the intermediate that Vault holds. */
  readonly stored: string | undefined;
  /** Serial of the intermediate in the chain that istiod presents. */
  readonly served: string | undefined;
  /** Serial of the intermediate under which a fresh workload certificate was issued. */
  readonly issuing: string | undefined;
}

export type Step =
  /** A new rotation begins. */
  | { readonly do: 'begin' }
  /** Make a new intermediate, judge it, store it. */
  | { readonly do: 'issue' }
  /** Write the next phase into the journal. */
  | { readonly do: 'enter'; readonly phase: Phase; readonly newSerial: string }
  | { readonly do: 'wait'; readonly reason: string }
  | { readonly do: 'finish' }
  | { readonly do: 'stop'; readonly error: MeshrootError };

/** How long istiod may take to show what Vault holds before a person is asked to look. */
export const patience = 10 * 60_000;

/** The next step of a rotation: a pure function, asked again after every step and after every crash. */
export function decide(state: RotationState | undefined, seen: Observation, now: number): Step {
  if (state === undefined) return { do: 'begin' };
  switch (state.phase) {
    case 'started':
      // A crash may have come between storing and noting it: what Vault holds tells.
      return seen.stored === undefined || seen.stored === state.oldSerial
        ? { do: 'issue' }
        : { do: 'enter', phase: 'stored', newSerial: seen.stored };
    case 'stored':
      return gate(state, seen, now, 'delivered', seen.served, 'istiod to serve');
    case 'delivered':
      return gate(state, seen, now, 'confirmed', seen.issuing, 'a fresh workload certificate from');
    case 'confirmed':
      return { do: 'finish' };
  }
}

/** Opens when `seen` is the new serial; waits, and stops when what Vault holds was changed by someone else. */
function gate(
  state: RotationState,
  seen: Observation,
  now: number,
  next: Phase,
  serial: string | undefined,
  waitingFor: string,
): Step {
  const { newSerial = '', cluster } = state;
  if (seen.stored !== newSerial) return { do: 'stop', error: replaced(cluster) };
  if (serial === newSerial) return { do: 'enter', phase: next, newSerial };
  const since = now - (state.enteredAt[state.phase] ?? now);
  if (since > patience) return { do: 'stop', error: stuck(cluster, waitingFor, newSerial) };
  return {
    do: 'wait',
    reason: `waiting for ${waitingFor} ${newSerial}${serial === undefined ? '' : ` (now ${serial})`}`,
  };
}

const replaced = (cluster: string): MeshrootError =>
  new MeshrootError(
    'rotation-overtaken',
    `the bundle of ${cluster} in Vault was replaced while it was being delivered`,
    {
      hint: `find out who else writes it (audit log), then: meshroot rotate intermediate ${cluster} --restart`,
      exit: 1,
    },
  );

const stuck = (cluster: string, waitingFor: string, serial: string): MeshrootError =>
  new MeshrootError('rotation-stuck', `${cluster}: waited 10 minutes for ${waitingFor} ${serial}`, {
    hint: 'the old intermediate stays in force; look at the agent (kubectl logs -c vault-agent), then run the same command again',
    exit: 1,
  });
