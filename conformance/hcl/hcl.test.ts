import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseHcl } from '../../src/lib/hcl/parse.ts';
import { HclError, type HclValue, isHclObject } from '../../src/lib/hcl/tree.ts';
import { onPurpose } from './on-purpose.ts';

interface Golden {
  readonly text: string;
  readonly tree?: HclValue;
  readonly error?: string;
}

const goldens: readonly Golden[] = JSON.parse(
  readFileSync(new URL('./hcl.golden.json', import.meta.url), 'utf8'),
);

/** The tree without positions. A label is a key one level deeper: JSON has no labels, and HCL means the same by both. */
function shape(value: HclValue): unknown {
  if (Array.isArray(value)) return value.map(shape);
  if (!isHclObject(value)) return value;
  return value.entries.map(({ key, labels, value: inner }) => [
    key,
    labels.reduceRight<unknown>((body, label) => [[label, body]], shape(inner)),
  ]);
}

/**
 * Every value with the keys above it. Their JSON parser unrolls objects and lists of objects into repeated blocks, ours leaves
 * them as they were written; to those who read the tree both are the same.
 */
function leaves(value: HclValue, above: readonly string[] = []): unknown[] {
  if (isHclObject(value) && value.entries.length > 0)
    return value.entries.flatMap((one) => leaves(one.value, [...above, one.key, ...one.labels]));
  const isUnrolled = Array.isArray(value) && value.length > 0 && value.every(isHclObject);
  if (isUnrolled) return value.flatMap((item) => leaves(item, above));
  return [[above, isHclObject(value) ? {} : value]];
}

const treeOf = (text: string, value: HclValue): unknown =>
  text.trimStart().startsWith('{') ? leaves(value) : shape(value);

function ours(text: string): unknown {
  try {
    return treeOf(text, parseHcl(text));
  } catch (error) {
    if (error instanceof HclError) return 'refused';
    throw error;
  }
}

const theirs = ({ text, tree, error }: Golden): unknown =>
  error === undefined && tree !== undefined ? treeOf(text, tree) : 'refused';

test.each(goldens.filter(({ text }) => !Object.hasOwn(onPurpose, text)))('$text is read alike', (golden) => {
  expect(ours(golden.text)).toEqual(theirs(golden));
});

test.each(Object.entries(onPurpose))('%j is read otherwise: %s', (text) => {
  const golden = goldens.find((one) => one.text === text);
  expect(golden).toBeDefined();
  if (golden !== undefined) expect(ours(text)).not.toEqual(theirs(golden));
});
