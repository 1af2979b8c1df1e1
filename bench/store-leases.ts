import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LeaseStep, leaseSteps } from './lib/lease-steps.ts';
import type { Sample } from './lib/measures.ts';
import { runScript } from './lib/program.ts';
import type { Plan, Question, Settings, Variant } from './lib/question.ts';
import type { Filled, FillOrder } from './store-fill-process.ts';

const script = fileURLToPath(new URL('./store-fill-process.ts', import.meta.url));
const counts = [1000, 100_000, 500_000] as const;

/** Does one lease cost more where there are many? */
export const storeLeases: Question = { name: 'store-leases', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const nameOf = (count: number, step: LeaseStep): string => `${step}, ${count.toLocaleString('en')} leases`;
  return {
    title: 'One token and its lease among many',
    method:
      'CPU time of all threads, 100 in each commit, a store on disk, from the sources; filled once a count, and compacted: its big commits leave lists of free pages as no use does',
    measures: ['micros'],
    variants: counts.flatMap((count) => variantsOf(count, nameOf, settings)),
    marks: counts.slice(1).flatMap((count) =>
      leaseSteps.map((step) => ({
        ours: nameOf(count, step),
        other: nameOf(1000, step),
        measure: 'micros' as const,
        atMost: 1.5,
      })),
    ),
    notes: [],
  };
}

function variantsOf(
  count: number,
  nameOf: (count: number, step: LeaseStep) => string,
  { scratch }: Settings,
): Variant[] {
  let filled: Promise<Filled> | undefined;
  const fill = async (): Promise<Filled> => {
    const order: FillOrder = { folder: await mkdtemp(join(scratch, 'leases-')), count, steps: true };
    return runScript<Filled>(script, order);
  };
  return leaseSteps.map((step) => ({
    name: nameOf(count, step),
    run: async (): Promise<Sample> => {
      filled ??= fill();
      const micros = (await filled).micros?.[step];
      return micros === undefined ? {} : { micros };
    },
  }));
}
