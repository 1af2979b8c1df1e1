import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pod } from '../test-api.ts';
import {
  fieldsMatch,
  labelsMatch,
  parseFieldSelector,
  parseLabelSelector,
  parseSelectorObject,
} from './selectors.ts';
import { StatusError } from './status-error.ts';

const matches = (selector: string, labels: Record<string, string>): boolean =>
  labelsMatch(parseLabelSelector(selector), labels);

describe('a label selector', () => {
  test.each([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'c' }, false],
    ['a!=b', {}, true],
    ['a in (b, c),d', { a: 'c', d: '' }, true],
    ['a notin (b,c)', { a: 'b' }, false],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['example.com/a=b', { 'example.com/a': 'b' }, true],
    ['n>3', { n: '4' }, true],
    ['n<3', { n: '4' }, false],
    ['toString', {}, false],
  ])('%s of %j is %s', (selector, labels, wanted) => {
    expect(matches(selector, labels as Record<string, string>)).toBe(wanted);
  });
  test('that cannot be read is refused with 400', () => {
    for (const text of ['a in (b', 'a=b=c d', '=b', 'a in', ',']) {
      expect(() => parseLabelSelector(text), text).toThrow(StatusError);
      expect(() => parseLabelSelector(text), text).toThrow(/unable to parse requirement/);
    }
  });
  test('as an object matches labels and expressions', () => {
    const selector = {
      matchLabels: { a: 'b' },
      matchExpressions: [
        { key: 'c', operator: 'NotIn', values: ['d'] },
        { key: 'e', operator: 'DoesNotExist' },
      ],
    };
    const requirements = parseSelectorObject(selector);
    expect(labelsMatch(requirements, { a: 'b', c: 'x' })).toBe(true);
    expect(labelsMatch(requirements, { a: 'b', e: '' })).toBe(false);
    expect(labelsMatch(parseSelectorObject({}), {})).toBe(true);
  });
});

describe('a field selector', () => {
  const object = pod('x', { status: { phase: 'Running' }, spec: { nodeName: 'n1', containers: [] } });
  test.each([
    ['metadata.name=x', true],
    ['metadata.name!=x', false],
    ['spec.nodeName=n1,status.phase!=Failed', true],
    ['status.podIP=', true],
  ])('%s of a pod is %s', (text, wanted) => {
    expect(fieldsMatch(parseFieldSelector(text, 'pods'), object)).toBe(wanted);
  });
  test('by a field that is not indexed is refused', () => {
    expect(() => parseFieldSelector('spec.x=1', 'pods')).toThrow('field label not supported: spec.x');
    expect(() => parseFieldSelector('spec.nodeName=1', 'configmaps')).toThrow(
      'is not a known field selector',
    );
    expect(() => parseFieldSelector('nonsense', 'pods')).toThrow("can't understand 'nonsense'");
  });
});

describe('fuzzed', () => {
  test('any text is requirements or a StatusError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseLabelSelector, (t: string) => parseFieldSelector(t, 'pods')]) {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(StatusError);
          }
        }
      }),
    );
  });
  test('labels are matched by their own equality selector', () => {
    const word = fc.stringMatching(/^[a-z]([a-z0-9-]{0,5}[a-z0-9])?$/);
    fc.assert(
      fc.property(fc.dictionary(word, word), (labels) => {
        const selector = Object.entries(labels)
          .map(([k, v]) => `${k}=${v}`)
          .join(',');
        expect(matches(selector, labels)).toBe(true);
      }),
    );
  });
});
