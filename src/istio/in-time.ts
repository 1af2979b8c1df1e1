import type { Clock } from '../lib/clock.ts';
import { MeshrootError } from '../lib/errors.ts';

/** `work`, or a rejection after `deadline` ms; the work itself goes on unseen. @throws MeshrootError `deadline` */
export async function inTime<T>(work: Promise<T>, clock: Clock, deadline: number): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(deadline, done.signal).then(
    () => {
      throw new MeshrootError('deadline', `no answer within ${deadline} ms`);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
