import type { Clock } from '../lib/clock.ts';
import type { Quiet } from './config/config.ts';
import type { JobGroup } from './template-job.ts';

/** Holds templates with a `wait` back until what they read has been quiet for so long. All times in milliseconds. */
export class HeldBack {
  readonly #clock: Clock;
  readonly #waiting = new Map<JobGroup, { readonly first: number; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When the next one is to be rendered; Infinity when none waits. */
  next(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#waiting.values()].map(({ at }) => at));
  }

  /** What is to be rendered now, of all groups, after something `changed` or not. */
  toRender(groups: readonly JobGroup[], changed: boolean): JobGroup[] {
    const now = this.#clock.now();
    const ready = groups.filter((group) => {
      const quiet = quietOf(group);
      if (quiet === undefined) return changed;
      if (!changed) return false;
      const first = this.#waiting.get(group)?.first ?? now;
      this.#waiting.set(group, { first, at: Math.min(now + quiet.minMs, first + quiet.maxMs) });
      return false;
    });
    for (const [group, { at }] of this.#waiting) {
      if (at > now) continue;
      this.#waiting.delete(group);
      ready.push(group);
    }
    return ready;
  }
}

function quietOf(group: JobGroup): Quiet | undefined {
  const waits = group.jobs.flatMap(({ settings }) => settings.wait ?? []);
  if (waits.length === 0) return undefined;
  return { minMs: Math.max(...waits.map((w) => w.minMs)), maxMs: Math.max(...waits.map((w) => w.maxMs)) };
}
