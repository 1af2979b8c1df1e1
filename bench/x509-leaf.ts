import { fileURLToPath } from 'node:url';
import type { Sample } from './lib/measures.ts';
import { runScript } from './lib/program.ts';
import type { Plan, Question, Settings } from './lib/question.ts';

const script = fileURLToPath(new URL('./x509-leaf-process.ts', import.meta.url));

/** Jobs of x509-leaf-process.ts, in the order of the table. */
export const leafJobs = [
  'limit: raw P-256 signature',
  'workload certificate, P-256 issuer',
  'P-256 request read and checked',
  'request to certificate, P-256',
  'certificate read',
  '@peculiar/x509 certificate, P-256 issuer',
  'limit: raw RSA-4096 signature, thread pool',
  'workload certificate, RSA-4096 issuer',
] as const;

/** What does one certificate cost without any wire around it? */
export const x509Leaf: Question = {
  name: 'x509-leaf',
  prepare: async ({ seconds, warmup }: Settings): Promise<Plan> => ({
    title: 'Issuing a workload certificate, no wire',
    method: 'one process per job, from the sources; RSA with 16 at a time, so that the thread pool is busy',
    measures: ['perSecond', 'cpu', 'rss'],
    variants: leafJobs.map((job) => ({
      name: job,
      run: () =>
        runScript<Sample>(script, { job, seconds: Math.min(seconds, 3), warmup: Math.min(warmup, 1) }),
    })),
    marks: [
      {
        ours: 'workload certificate, RSA-4096 issuer',
        other: 'limit: raw RSA-4096 signature, thread pool',
        measure: 'perSecond',
        atLeast: 0.9,
      },
      {
        ours: 'workload certificate, P-256 issuer',
        other: '@peculiar/x509 certificate, P-256 issuer',
        measure: 'perSecond',
        atLeast: 1,
      },
    ],
    notes: [],
  }),
};
