import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyJsonPatch,
  escapePointer,
  type JsonPatchOperation,
  jsonEqual,
  parseJsonPatch,
  parsePointer,
} from './json-patch.ts';

const apply = (document: unknown, ...patch: JsonPatchOperation[]): unknown =>
  applyJsonPatch(document, parseJsonPatch(patch));

const refusal = (run: () => unknown): { code: unknown; message: string } => {
  try {
    run();
  } catch (error) {
    return { code: (error as { code?: unknown }).code, message: (error as Error).message };
  }
  throw new Error('it was not refused');
};

describe('a JSON patch', () => {
  // RFC 6902 appendix A
  test('adds an object member (A.1)', () => {
    expect(apply({ foo: 'bar' }, { op: 'add', path: '/baz', value: 'qux' })).toEqual({
      baz: 'qux',
      foo: 'bar',
    });
  });
  test('adds an array element (A.2) and appends with "-" (A.16)', () => {
    expect(apply({ foo: ['bar', 'baz'] }, { op: 'add', path: '/foo/1', value: 'qux' })).toEqual({
      foo: ['bar', 'qux', 'baz'],
    });
    expect(apply({ foo: ['bar'] }, { op: 'add', path: '/foo/-', value: ['x'] })).toEqual({
      foo: ['bar', ['x']],
    });
  });
  test('removes, replaces, moves and copies (A.3 to A.7)', () => {
    expect(apply({ baz: 'qux', foo: 'bar' }, { op: 'remove', path: '/baz' })).toEqual({ foo: 'bar' });
    expect(apply({ foo: [1, 2, 3] }, { op: 'remove', path: '/foo/1' })).toEqual({ foo: [1, 3] });
    expect(apply({ foo: 'bar' }, { op: 'replace', path: '/foo', value: 'boo' })).toEqual({ foo: 'boo' });
    expect(apply({ foo: [1, 2, 3] }, { op: 'move', from: '/foo/0', path: '/foo/2' })).toEqual({
      foo: [2, 3, 1],
    });
    expect(apply({ a: { b: 1 } }, { op: 'copy', from: '/a', path: '/c' })).toEqual({
      a: { b: 1 },
      c: { b: 1 },
    });
  });
  test('tests values regardless of key order (A.8, A.9)', () => {
    const document = { foo: { a: 1, b: [2] } };
    expect(apply(document, { op: 'test', path: '/foo', value: { b: [2], a: 1 } })).toEqual(document);
    expect(refusal(() => apply(document, { op: 'test', path: '/foo', value: 1 }))).toEqual({
      code: 'bad-json-patch',
      message: 'testing value /foo failed',
    });
  });
  test('unescapes ~0 and ~1 in the right order (A.14)', () => {
    expect(apply({ '/': 9, '~1': 10 }, { op: 'test', path: '/~01', value: 10 })).toEqual({
      '/': 9,
      '~1': 10,
    });
  });
  test('replaces the whole document by the empty path', () => {
    expect(apply({ a: 1 }, { op: 'replace', path: '', value: [1] })).toEqual([1]);
  });
  test('refuses a path that is not there', () => {
    expect(refusal(() => apply({}, { op: 'add', path: '/a/b', value: 1 }))).toEqual({
      code: 'bad-json-patch',
      message: 'doc is missing path: "/a/b": missing value',
    });
    expect(refusal(() => apply({ a: [] }, { op: 'add', path: '/a/1', value: 1 })).message).toContain(
      'index 1',
    );
    expect(refusal(() => apply({ a: [1] }, { op: 'remove', path: '/a/01' })).message).toContain(
      'not an index',
    );
  });
  test('refuses to move a value into itself', () => {
    expect(refusal(() => apply({ a: { b: 1 } }, { op: 'move', from: '/a', path: '/a/b' })).code).toBe(
      'bad-json-patch',
    );
  });
  test('refuses what is not a list of operations', () => {
    expect(refusal(() => parseJsonPatch({ op: 'add' })).message).toBe('a JSON patch is a list of operations');
    expect(refusal(() => parseJsonPatch([{ op: 'nope', path: '/' }])).message).toBe('unexpected kind: nope');
    expect(refusal(() => parseJsonPatch([{ op: 'add', path: '/a' }])).message).toContain('no value');
  });
  test('leaves the document and the patch as they were', () => {
    const document = { list: [1] };
    const value = { n: [] as number[] };
    const patched = apply(
      document,
      { op: 'add', path: '/x', value },
      { op: 'add', path: '/x/n/-', value: 1 },
      { op: 'remove', path: '/list/0' },
    );
    expect(patched).toEqual({ list: [], x: { n: [1] } });
    expect([document, value]).toEqual([{ list: [1] }, { n: [] }]);
  });
  test('never reaches a prototype', () => {
    const patched = apply({}, { op: 'add', path: '/__proto__', value: { polluted: true } });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(patched as object)).toEqual(['__proto__']);
    expect(refusal(() => apply({}, { op: 'add', path: '/constructor/prototype/x', value: 1 })).code).toBe(
      'bad-json-patch',
    );
  });
});

describe('fuzzed', () => {
  test('any pointer survives escaping', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (tokens) => {
        expect(parsePointer(tokens.map((t) => `/${escapePointer(t)}`).join(''))).toEqual(tokens);
      }),
    );
  });
  test('replacing every key by hand is the same as by patch', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (document, value) => {
        const patch = Object.keys(document).map((key) => ({
          op: 'replace',
          path: `/${escapePointer(key)}`,
          value,
        }));
        const wanted = Object.fromEntries(Object.keys(document).map((key) => [key, value]));
        expect(jsonEqual(applyJsonPatch(document, parseJsonPatch(patch)), wanted)).toBe(true);
      }),
    );
  });
  test('any input is a result or a MeshrootError, never a crash', () => {
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
        path: fc.oneof(fc.string(), fc.constantFrom('', '/a', '/a/0', '/a/-', '/b/c', '/__proto__/x')),
        from: fc.constantFrom('', '/a', '/a/0', '/b'),
        value: fc.jsonValue(),
      },
      { requiredKeys: ['op', 'path'] },
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(operation), (document, patch) => {
        const before = JSON.stringify(document);
        try {
          applyJsonPatch(document, parseJsonPatch(patch));
        } catch (error) {
          expect((error as { code?: string }).code).toBe('bad-json-patch');
        }
        expect(JSON.stringify(document)).toBe(before);
      }),
    );
  });
});
