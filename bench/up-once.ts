import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan, Question, Settings } from './lib/question.ts';
import { onceMeter, runOnce } from './lib/run-once.ts';

/** How long does the whole system take, started, checked and left? */
export const upOnce: Question = {
  name: 'up-once',
  prepare: async (settings: Settings): Promise<Plan> => ({
    title: '`meshroot up --once`: start, all checks, stop',
    method: `one run per sample in a folder of its own; RSS is that of its largest process; ${onceMeter}`,
    measures: ['seconds', 'cpuSeconds', 'rss'],
    variants: settings.builds.flatMap(({ name, command }) =>
      [[], ['--key-type', 'rsa-4096']].map((flags) => ({
        name: [name, 'up --once', ...flags].join(' '),
        run: async () => {
          const dir = await mkdtemp(join(settings.scratch, 'up-'));
          return runOnce([...command, 'up', '--once', '--json', '--dir', join(dir, 'd'), ...flags], settings);
        },
      })),
    ),
    marks: [],
    notes: ['marks: 10 s with default keys, 30 s with rsa-4096, on 2 cores'],
  }),
};
