import type { Sample } from './measures.ts';
import type { Variant } from './question.ts';

/**
 * Every variant once a round. The order turns round every time, so that what warms up, fills up or slows down over a run
 * falls on all of them alike.
 */
export async function runRounds(
  variants: readonly Variant[],
  rounds: number,
  onSample: (variant: string, round: number, sample: Sample) => void = () => {},
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of round % 2 === 0 ? variants : [...variants].reverse()) {
      const sample = await run();
      samples.get(name)?.push(sample);
      onSample(name, round, sample);
    }
  }
  return samples;
}
