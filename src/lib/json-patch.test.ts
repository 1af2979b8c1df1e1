import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from './errors.ts';
import { applyPatch, escapePointer, parsePatch, pointerTokens } from './json-patch.ts';

const patched = (document: unknown, patch: unknown): unknown => applyPatch(document, parsePatch(patch));
const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof MeshrootError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no refusal';
};

describe('a JSON patch (RFC 6902)', () => {
  // Appendix A of the RFC, by its numbers
  test.each([
    [
      'A.1 adds a member',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux' }],
      { foo: 'bar', baz: 'qux' },
    ],
    [
      'A.2 adds an element',
      { foo: ['bar', 'baz'] },
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      { foo: ['bar', 'qux', 'baz'] },
    ],
    ['A.3 removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    [
      'A.4 removes an element',
      { foo: ['a', 'b', 'c'] },
      [{ op: 'remove', path: '/foo/1' }],
      { foo: ['a', 'c'] },
    ],
    ['A.5 replaces', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    [
      'A.6 moves a value',
      { a: { b: 1 }, c: {} },
      [{ op: 'move', from: '/a/b', path: '/c/d' }],
      { a: {}, c: { d: 1 } },
    ],
    [
      'A.7 moves an element',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'A.8 tests',
      { baz: 'qux', foo: ['a', 2] },
      [{ op: 'test', path: '/foo/1', value: 2 }],
      { baz: 'qux', foo: ['a', 2] },
    ],
    [
      'A.10 adds a nested object',
      {},
      [{ op: 'add', path: '/child', value: { g: {} } }],
      { child: { g: {} } },
    ],
    [
      'A.14 unescapes ~01',
      { '/': 9, '~1': 10 },
      [{ op: 'test', path: '/~01', value: 10 }],
      { '/': 9, '~1': 10 },
    ],
    [
      'A.16 appends',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/-', value: ['abc'] }],
      { foo: ['bar', ['abc']] },
    ],
    ['copies', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
    ['replaces the whole document', { a: 1 }, [{ op: 'add', path: '', value: [1] }], [1]],
    [
      'keeps a member called __proto__ as data',
      {},
      [{ op: 'add', path: '/__proto__', value: 1 }],
      JSON.parse('{"__proto__":1}'),
    ],
  ])('%s', (_, document, patch, expected) => {
    expect(patched(document, patch)).toEqual(expected);
  });

  test.each([
    [
      'A.9 a failed test',
      { baz: 'qux' },
      [{ op: 'test', path: '/baz', value: 'bar' }],
      'json-patch-failed: test of "/baz" found another value',
    ],
    [
      'A.12 a missing parent',
      { foo: 1 },
      [{ op: 'add', path: '/baz/bat', value: 1 }],
      'json-patch-failed: "/baz/bat" does not exist',
    ],
    [
      'an index past the end',
      { a: [] },
      [{ op: 'add', path: '/a/1', value: 1 }],
      'json-patch-failed: "/a/1": index 1 is out of range',
    ],
    [
      'an index with a leading zero',
      { a: [1] },
      [{ op: 'remove', path: '/a/00' }],
      'json-patch-failed: "/a/00": "00" is not an index of an array',
    ],
    [
      'removing what is not there',
      {},
      [{ op: 'remove', path: '/a' }],
      'json-patch-failed: "/a" does not exist',
    ],
    [
      'moving into itself',
      { a: {} },
      [{ op: 'move', from: '/a', path: '/a/b' }],
      'json-patch-failed: "/a" cannot be moved into itself',
    ],
    ['a patch that is no array', {}, {}, 'bad-json-patch: a JSON patch is an array of operations'],
    ['an unknown op', {}, [{ op: 'merge', path: '/a' }], 'bad-json-patch: operation 0 has an unknown op'],
    ['no value', {}, [{ op: 'add', path: '/a' }], 'bad-json-patch: operation 0 (add) has no value'],
    ['a path without /', {}, [{ op: 'remove', path: 'a' }], 'bad-json-patch: path "a" does not start with /'],
    [
      'an inherited member',
      {},
      [{ op: 'copy', from: '/constructor', path: '/a' }],
      'json-patch-failed: "/constructor" does not exist',
    ],
  ])('refuses %s', (_, document, patch, expected) => {
    expect(refusal(() => patched(document, patch))).toBe(expected);
  });

  test('leaves the given document alone, also when a later operation fails', () => {
    const document = { a: [1] };
    expect(() =>
      patched(document, [
        { op: 'add', path: '/a/-', value: 2 },
        { op: 'remove', path: '/x' },
      ]),
    ).toThrow(MeshrootError);
    expect(document).toEqual({ a: [1] });
  });

  test('any key survives escaping and comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (keys) => {
        expect(pointerTokens(keys.map((k) => `/${escapePointer(k)}`).join(''))).toEqual(keys);
      }),
    );
  });

  test('anything at all as a patch is either applied or refused with a MeshrootError', () => {
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
        path: fc.oneof(fc.constantFrom('', '/a', '/a/0', '/a/-', '/b/c', '/~2'), fc.string()),
        from: fc.constantFrom('/a', '/b', '', '/a/0'),
        value: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.oneof(fc.jsonValue(), fc.array(operation)), (document, patch) => {
        expect(refusal(() => patched(document, patch))).toMatch(
          /^(no refusal|bad-json-patch: |json-patch-failed: )/,
        );
      }),
    );
  });
});
