import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Refusal } from '../../core/refusal.ts';
import { labelsMatch, parseNamespaceSelector } from './namespace-selector.ts';

test('a selector comes as JSON or YAML and matches all of its labels', async () => {
  expect(await parseNamespaceSelector('{"matchLabels":{"a":"b"}}')).toEqual({ a: 'b' });
  const wanted = await parseNamespaceSelector('matchLabels:\n  a: b\n  c: d\n');
  expect(labelsMatch(wanted, { a: 'b', c: 'd', e: 'f' })).toBe(true);
  expect(labelsMatch(wanted, { a: 'b' })).toBe(false);
  expect(labelsMatch(wanted, undefined)).toBe(false);
});

test('what cannot be checked is refused', async () => {
  const text = 'invalid "bound_service_account_namespace_selector" configured';
  await expect(parseNamespaceSelector('{"matchExpressions":[]}')).rejects.toThrow(text);
  await expect(parseNamespaceSelector('[')).rejects.toThrow(text);
  await fc.assert(
    fc.asyncProperty(fc.string(), async (any) => {
      try {
        const labels = await parseNamespaceSelector(any);
        expect(Object.values(labels).every((label) => typeof label === 'string')).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Refusal);
      }
    }),
  );
});
