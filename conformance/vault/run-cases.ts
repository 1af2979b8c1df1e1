import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Case, Expected, Step } from './case.ts';
import { cases } from './cases.ts';
import { startFixtures } from './fixtures.ts';
import type { Answer, Ask } from './over-http.ts';

export interface CaseResult {
  readonly name: string;
  /** What was wrong; undefined when it passed. */
  readonly problem?: string;
  readonly skipped?: string;
}

export interface RunOptions {
  /** Only the cases whose name has it. */
  readonly only?: string | undefined;
  /** The key share of a store with one; the cases that want it are skipped without. */
  readonly unsealKey?: string | undefined;
  /** Another table than the whole one. */
  readonly table?: readonly Case[];
  /** How many cases may run at once; some of them mostly wait. 1 unless told. */
  readonly lanes?: number;
}

/** Runs cases in order, each with names of its own; those that change the store as a whole run when nothing else does. */
export async function runCases(
  ask: Ask,
  rootToken: string,
  { only = '', unsealKey = '', table = cases, lanes = 1 }: RunOptions = {},
): Promise<CaseResult[]> {
  const { values, close } = await startFixtures();
  const kind = await kindOf(ask);
  const wanted = table.filter(({ name }) => name.includes(only));
  const runOne = async (one: Case): Promise<CaseResult> => {
    const noKey = one.needsKey === true && unsealKey === '' ? 'no --unseal-key was given' : undefined;
    const skipped = one.skip?.[kind] ?? noKey;
    if (skipped !== undefined) return { name: one.name, skipped };
    const id = randomBytes(4).toString('hex');
    return await runCase(ask, one, { ...values, root: rootToken, unseal_key: unsealKey, id });
  };
  try {
    const together = await inLanes(lanes, wanted.filter(isByItself), runOne);
    const alone = await inLanes(
      1,
      wanted.filter((one) => !isByItself(one)),
      runOne,
    );
    return [...together, ...alone];
  } finally {
    close();
  }
}

/** Whether a case touches only what has its id in the name; changing key shares or counting all leases does not. */
const isByItself = ({ needsKey, alone }: Case): boolean => needsKey !== true && alone !== true;

/** Runs every item, at most `lanes` at once; the results are in the items' order. */
async function inLanes<T, R>(lanes: number, items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = [...items.entries()];
  const lane = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift())
      results[next[0]] = await run(next[1]);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

async function kindOf(ask: Ask): Promise<'openbao' | 'meshroot'> {
  const { body } = await ask('GET', 'sys/seal-status', {}, undefined);
  return JSON.stringify(body).includes('meshroot') ? 'meshroot' : 'openbao';
}

async function runCase(ask: Ask, { name, steps }: Case, values: Record<string, string>): Promise<CaseResult> {
  for (const [i, step] of steps.entries()) {
    const problem = await runStep(ask, step, values);
    if (problem !== undefined)
      return { name, problem: `step ${i + 1}, ${step.method} ${step.path}: ${problem}` };
  }
  return { name };
}

async function runStep(ask: Ask, step: Step, values: Record<string, string>): Promise<string | undefined> {
  if (step.after !== undefined) await new Promise((resolve) => setTimeout(resolve, step.after));
  const token = step.as === 'none' ? undefined : (values[step.as ?? 'root'] ?? step.as);
  const headers = {
    'X-Vault-Request': 'true',
    ...(token === undefined ? {} : { 'X-Vault-Token': token }),
    ...(step.method === 'PATCH' ? { 'Content-Type': 'application/merge-patch+json' } : {}),
    ...step.headers,
  };
  const body =
    step.body === undefined
      ? undefined
      : typeof step.body === 'string'
        ? fill(step.body, values)
        : JSON.stringify(filled(step.body, values));
  const answer = await onceReady(() => ask(step.method, fill(step.path, values), headers, body));
  const shown = JSON.stringify(answer.body) ?? 'nothing';
  if (answer.status !== step.status) return `status ${answer.status} instead of ${step.status}: ${shown}`;
  const errors = at(answer.body, 'errors');
  const wanted = step.errors?.map((text) => fill(text, values));
  if (wanted !== undefined && !isDeepStrictEqual(errors, wanted))
    return `errors ${JSON.stringify(errors)} instead of ${JSON.stringify(wanted)}`;
  if (step.text_has !== undefined && answer.text?.includes(step.text_has) !== true)
    return `${step.text_has} is not in ${answer.text}`;
  for (const [key, path] of Object.entries(step.save ?? {})) {
    const value = at(answer.body, path);
    if (typeof value !== 'string') return `no ${path} to save in ${shown}`;
    values[key] = value;
  }
  const difference =
    step.body_has === undefined ? undefined : differs(answer.body, filled(step.body_has, values), '');
  return difference === undefined ? undefined : `${difference} in ${shown}`;
}

/** A fresh mount of kv version 2 answers 400 until it is ready; for that no case waits, so the runner does: five seconds. */
async function onceReady(send: () => Promise<Answer>): Promise<Answer> {
  for (let left = 50; ; left--) {
    const answer = await send();
    const isBusy = JSON.stringify(answer.body)?.includes('Upgrading from non-versioned to versioned data');
    if (isBusy !== true || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const fill = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{\{(\w+)\}\}/g, (whole, key: string) => values[key] ?? whole);

function filled(expected: unknown, values: Readonly<Record<string, string>>): unknown {
  if (typeof expected === 'string') return fill(expected, values);
  if (Array.isArray(expected)) return expected.map((item) => filled(item, values));
  if (typeof expected !== 'object' || expected === null) return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [fill(key, values), filled(value, values)]),
  );
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, key) => (inner as Expected | undefined)?.[key], value);
}

/** The first place where `actual` does not contain `expected`. */
function differs(actual: unknown, expected: unknown, where: string): string | undefined {
  if (typeof expected === 'function')
    return expected(actual) === true ? undefined : `${where} is not as it should be`;
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) {
    return isDeepStrictEqual(actual, expected)
      ? undefined
      : `${where} is ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`;
  }
  for (const [key, value] of Object.entries(expected)) {
    const problem = differs((actual as Expected | null | undefined)?.[key], value, `${where}.${key}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
