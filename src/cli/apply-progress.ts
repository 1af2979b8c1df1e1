import type { Clock } from '../lib/clock.ts';
import { humanDuration } from '../lib/duration.ts';

/** Milliseconds between two lines. */
const every = 5000;

/** Tells, now and then, how far a long apply is and when it will be done; small ones need no such line. */
export function applyProgress(total: number, clock: Clock, tell: (line: string) => void): () => void {
  const start = clock.now();
  let done = 0;
  let told = start;
  return () => {
    done++;
    const now = clock.now();
    if (now - told < every || done === total) return;
    told = now;
    const left = ((now - start) / done) * (total - done);
    tell(`  ${done} of ${total} clusters done, about ${humanDuration(left)} left`);
  };
}
