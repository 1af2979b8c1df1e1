import { messageOf } from '../../lib/errors.ts';
import type { Check } from '../steps.ts';
import type { RunningSystem } from '../system.ts';

/** One check of a running system: resolves with what was seen, throws `CheckFailed` with what was not. */
export interface SystemCheck {
  readonly name: string;
  run(system: RunningSystem): Promise<string>;
}

/** A check looked and did not find what has to be. */
export class CheckFailed extends Error {}

/** Throws `CheckFailed` with `detail` unless `holds`. */
export function must(holds: boolean, detail: string): asserts holds {
  if (!holds) throw new CheckFailed(detail);
}

/** Runs one check to its result; whatever goes wrong in it is its failure, not the end of the others. */
export async function runCheck({ name, run }: SystemCheck, system: RunningSystem): Promise<Check> {
  try {
    return { name, ok: true, detail: await run(system) };
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) };
  }
}
