import { onPath } from '../test/support/on-path.ts';
import { makeBundle } from './lib/bundle.ts';
import { callers, caPrograms, caVariant, namelessCsrs } from './lib/ca-variant.ts';
import { csrGenerator } from './lib/load-csr.ts';
import { loadMeasures, type Sample } from './lib/measures.ts';
import { missing } from './lib/peers.ts';
import type { Build, Plan, Question, Settings, Variant } from './lib/question.ts';

/** How long do callers wait while a CA is half as busy as it can be? */
export const caHalfLoad: Question = { name: 'ca-half-load', prepare };

async function prepare(settings: Settings): Promise<Plan> {
  const [bundle, csrs] = await Promise.all([makeBundle(), namelessCsrs()]);
  const programs = caPrograms(settings);
  const rates = new Map<string, number>();
  const run = (program: Build, suffix: string) =>
    caVariant(program, { suffix, bundle, jwks: true }, csrs, settings, rates);
  return {
    title: 'CSR to certificate at half load, P-256 CSR, JWKS',
    method: `first ${callers} callers as fast as they can, then half of that rate at fixed times; latency from the moment a call was due; load by ${csrGenerator}`,
    measures: loadMeasures,
    variants: programs.flatMap((program) => [
      run(program, 'JWKS'),
      halfLoad(program, run(program, 'JWKS, half load'), rates),
    ]),
    marks: [],
    limits: settings.builds.map(({ name }) => ({
      ours: `${name}, JWKS, half load`,
      measure: 'p99',
      below: 25,
    })),
    notes: onPath('pilot-discovery') === undefined ? [missing('pilot-discovery')] : [],
  };
}

/** In a round that runs backwards the full load has not come yet: then that of the round before counts. */
function halfLoad({ name }: Build, variant: Variant, rates: Map<string, number>): Variant {
  const run = async (): Promise<Sample> => (rates.has(name) ? variant.run() : {});
  return { ...variant, run };
}
