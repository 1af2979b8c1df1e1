import { testBundle, testRoot } from '../../src/istio/test-mesh.ts';
import type { CaseResult } from '../vault/run-cases.ts';
import { caseResult, runCaCases } from './run-cases.ts';
import { caSituations, situationProblem } from './situations.ts';
import { startIstiod } from './start-istiod.ts';

/** The whole table against a real istiod, which is started for it: its files are part of what is asked. */
export async function runIstiod(program: string, only = ''): Promise<CaseResult[]> {
  const start = startIstiod(program);
  const istiod = await start(await testBundle(await testRoot()));
  const results = await runCaCases(istiod, only).finally(() => istiod.close());
  for (const one of caSituations.filter(({ name }) => name.includes(only)))
    results.push(caseResult(one.name, await situationProblem(one, start)));
  return results;
}
