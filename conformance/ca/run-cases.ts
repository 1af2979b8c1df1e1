import { CertificateCallError } from '../../src/istio/workload-request.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import type { CaseResult } from '../vault/run-cases.ts';
import { type CaAnswer, type CaCase, caCases } from './cases.ts';
import type { CaTarget } from './target.ts';

/** Asks all cases (or those whose name has `only`) of `target`, one after the other. */
export async function runCaCases(target: CaTarget, only = ''): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of caCases.filter(({ name }) => name.includes(only))) {
    const problem = await problemOf(one, target);
    results.push(problem === undefined ? { name: one.name } : { name: one.name, problem });
  }
  return results;
}

/** What is wrong with the answer to one case: its code, its words, or fields of the leaf and the chain. */
export async function problemOf(one: CaCase, target: CaTarget): Promise<string | undefined> {
  try {
    return await judge(one, await ask(target, await one.call(target)), target);
  } catch (error) {
    return messageOf(error); // what had to be done before the call failed
  }
}

function judge(
  one: CaCase,
  { answer, chain }: Awaited<ReturnType<typeof ask>>,
  target: CaTarget,
): string | undefined {
  const special = { istiod: one.istiod, meshroot: one.strict, 'meshroot-compat': undefined };
  const wanted = special[target.kind] ?? one.expect;
  if (answer.code !== wanted.code)
    return `code ${answer.code} (${String(answer.text ?? '')}), not ${wanted.code}`;
  const { text } = wanted;
  const said = String(answer.text ?? '');
  if (text instanceof RegExp ? !text.test(said) : text !== undefined && said !== text)
    return `says "${said}", not "${String(text)}"`;
  const [leaf] = chain;
  if (leaf === undefined) return undefined;
  const faults = one.faults?.(parseCertificate(leaf), chain, target) ?? [];
  return faults.length === 0 ? undefined : faults.join('; ');
}

async function ask(
  target: CaTarget,
  call: Parameters<CaTarget['ask']>[0],
): Promise<{ answer: CaAnswer; chain: readonly string[] }> {
  try {
    return { answer: { code: 0 }, chain: await target.ask(call) };
  } catch (error) {
    if (!(error instanceof CertificateCallError)) throw error;
    return { answer: { code: error.grpcCode, text: error.message }, chain: [] };
  }
}
