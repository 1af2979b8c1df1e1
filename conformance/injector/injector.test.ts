import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { reviewAdmission } from '../../src/injector/review.ts';
import { defaultSettings } from '../../src/injector/settings.ts';
import { fileNameOf, sameOutcome } from './compare.ts';
import { onPurpose } from './on-purpose.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { podCases, reviewOf } from './pods.ts';

const settings = { ...defaultSettings, vaultAddress: 'http://127.0.0.1:8200' };

async function golden(name: string): Promise<Outcome> {
  const text = await readFile(new URL(`goldens/${fileNameOf(name)}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { outcome: Outcome }).outcome;
}

describe('ours decides as vault-k8s 1.7.6 did (recorded by conformance/injector/record.ts)', () => {
  test.each(podCases)('$name', async (podCase) => {
    const theirs = await golden(podCase.name);
    const ours = outcomeOf(podCase.pod, reviewAdmission(reviewOf(podCase), settings).review);
    if (sameOutcome(theirs, ours)) expect(Object.keys(onPurpose)).not.toContain(podCase.name);
    else if (podCase.name in onPurpose) expect(ours).not.toEqual(theirs);
    else expect(ours).toEqual(theirs);
  });

  test('every case has a file of its own', () => {
    expect(new Set(podCases.map(({ name }) => fileNameOf(name))).size).toBe(podCases.length);
  });

  test('every difference on purpose is still a case', () => {
    const names = podCases.map(({ name }) => name);
    expect(Object.keys(onPurpose).filter((name) => !names.includes(name))).toEqual([]);
  });
});
