import { CertificateCallError } from '../../src/istio/workload-request.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { parseCertificate } from '../../src/x509/certificate.ts';
import type { CaseResult } from '../vault/run-cases.ts';
import { type CaAnswer, type CaCase, caCases } from './cases.ts';
import type { CaTarget } from './target.ts';

export interface Answered {
  readonly answer: CaAnswer;
  readonly chain: readonly string[];
}

/** Asks all cases (or those whose name has `only`) of `target`, one after the other. */
export async function runCaCases(target: CaTarget, only = ''): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of caCases.filter(({ name }) => name.includes(only)))
    results.push(caseResult(one.name, await problemOf(one, target)));
  return results;
}

export function caseResult(name: string, problem: string | undefined): CaseResult {
  return problem === undefined ? { name } : { name, problem };
}

/** What is wrong with the answer to one case: its code, its words, or fields of the leaf and the chain. */
export async function problemOf(one: CaCase, target: CaTarget): Promise<string | undefined> {
  try {
    const { answer, chain } = await answerOf(target, await one.call(target));
    const special = { istiod: one.istiod, meshroot: one.strict, 'meshroot-compat': undefined };
    return wrongAnswer(answer, special[target.kind] ?? one.expect) ?? faultsOf(one, chain, target);
  } catch (error) {
    return messageOf(error); // what had to be done before the call failed
  }
}

function faultsOf(one: CaCase, chain: readonly string[], target: CaTarget): string | undefined {
  const [leaf] = chain;
  const faults = leaf === undefined ? [] : (one.faults?.(parseCertificate(leaf), chain, target) ?? []);
  return faults.length === 0 ? undefined : faults.join('; ');
}

/** Another code than wanted, or other words. */
export function wrongAnswer(answer: CaAnswer, wanted: CaAnswer): string | undefined {
  const said = String(answer.text ?? '');
  if (answer.code !== wanted.code) return `code ${answer.code} (${said}), not ${wanted.code}`;
  const { text } = wanted;
  const asWanted = text instanceof RegExp ? text.test(said) : text === undefined || said === text;
  return asWanted ? undefined : `says "${said}", not "${String(text)}"`;
}

/** A refusal as an answer; anything else that goes wrong is thrown. */
export async function answerOf(
  target: Pick<CaTarget, 'ask'>,
  call: Parameters<CaTarget['ask']>[0],
): Promise<Answered> {
  try {
    return { answer: { code: 0 }, chain: await target.ask(call) };
  } catch (error) {
    if (!(error instanceof CertificateCallError)) throw error;
    return { answer: { code: error.grpcCode, text: error.message }, chain: [] };
  }
}
