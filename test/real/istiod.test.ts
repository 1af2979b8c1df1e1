import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { caCases } from '../../conformance/ca/cases.ts';
import { problemOf } from '../../conformance/ca/run-cases.ts';
import { caSituations, type StartedCa, situationProblem } from '../../conformance/ca/situations.ts';
import { startIstiod } from '../../conformance/ca/start-istiod.ts';
import { testBundle, testRoot } from '../../src/istio/test-mesh.ts';
import { onPath } from '../support/on-path.ts';

const program = onPath('pilot-discovery');

describe.skipIf(program === undefined)('a real istiod (skipped without pilot-discovery on PATH)', () => {
  const start = startIstiod(program ?? '');
  let istiod: StartedCa;
  beforeAll(async () => {
    istiod = await start(await testBundle(await testRoot()));
  });
  afterAll(() => istiod?.close());

  test.each(caCases)('answers as the table says: $name', async (one) => {
    expect(await problemOf(one, istiod)).toBeUndefined();
  });

  test.each(caSituations)('and so does one started for it: $name', async (one) => {
    expect(await situationProblem(one, start)).toBeUndefined();
  });
});
