import { MeshrootError } from '../lib/errors.ts';
import type { Io } from './io.ts';

/**
 * Asks a person before something is written.
 * @throws MeshrootError `not-confirmed` when nobody is there or the answer is no
 */
export async function confirm(io: Io, question: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new MeshrootError('not-confirmed', 'nobody is there to confirm this plan', {
      hint: 'in a pipeline: --yes',
      exit: 1,
    });
  }
  const { confirm: ask } = await import('@clack/prompts');
  const answer = await ask({ message: question, initialValue: false, output: io.stderr });
  if (answer !== true) throw new MeshrootError('not-confirmed', 'nothing was written', { exit: 1 });
}
