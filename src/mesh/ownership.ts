import { MeshrootError } from '../lib/errors.ts';
import type { MountRow } from './kinds/mounts.ts';
import type { Decision } from './resource.ts';

/** Ends the description of every mount that meshroot makes; how it knows its own again. */
export const madeByMeshroot = 'made by meshroot';

/** First line of every policy that meshroot writes. */
export const policyMark = `# ${madeByMeshroot}`;

/** Whether meshroot made the mount: only then may it change or remove it, and what is in it, unasked. */
export const isOurMount = (row: MountRow | undefined): boolean =>
  row?.description.includes(madeByMeshroot) === true;

/**
 * Guards what others made: a change of a thing that is not ours becomes a refusal, unless it is to be adopted.
 * @param what as a person would call it, with its place
 */
export function unlessForeign(decision: Decision, ours: boolean, what: string, adopt: boolean): Decision {
  if (decision.kind !== 'change' || ours || adopt) return decision;
  const lines = decision.lines.map((line) => `\n      ${line}`).join('');
  const error = new MeshrootError('not-ours', `${what} exists and was not made by meshroot${lines}`, {
    hint: 'compare them, then take it over with: meshroot apply --adopt',
    exit: 1,
  });
  return { kind: 'refuse', error };
}
