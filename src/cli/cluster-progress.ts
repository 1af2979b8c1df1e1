import type { Clock } from '../lib/clock.ts';
import { humanDuration } from '../lib/duration.ts';

/** Milliseconds between two lines. */
const every = 5000;

export interface Progress {
  readonly total: number;
  /** What is done with them: `done`, `looked at`. */
  readonly what: string;
  readonly clock: Clock;
  readonly tell: (line: string) => void;
}

/** Tells, now and then, how far a long walk over clusters is and when it will be done; short ones need no such line. */
export function clusterProgress({ total, what, clock, tell }: Progress): (failed?: boolean) => void {
  const start = clock.now();
  let done = 0;
  let failures = 0;
  let told = start;
  return (failed = false) => {
    done++;
    if (failed) failures++;
    const now = clock.now();
    if (now - told < every || done >= total) return;
    told = now;
    const left = ((now - start) / done) * (total - done);
    const broken = failures === 0 ? '' : `${failures} of them failed, `;
    tell(`  ${done} of ${total} clusters ${what}, ${broken}about ${humanDuration(left)} left`);
  };
}
