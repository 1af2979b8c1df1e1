import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMerge } from './strategic-merge.ts';

const merge = (target: unknown, patch: unknown, kind = 'Pod'): unknown =>
  applyStrategicMerge(target, patch, kind);

describe('a strategic merge patch', () => {
  test('merges containers by name and adds new ones', () => {
    const target = {
      spec: {
        containers: [
          { name: 'a', image: '1', args: ['x'] },
          { name: 'b', image: '1' },
        ],
      },
    };
    const patch = {
      spec: {
        containers: [
          { name: 'b', image: '2' },
          { name: 'c', image: '3' },
        ],
      },
    };
    expect(merge(target, patch)).toEqual({
      spec: {
        containers: [
          { name: 'a', image: '1', args: ['x'] },
          { name: 'b', image: '2' },
          { name: 'c', image: '3' },
        ],
      },
    });
  });
  test('replaces lists without a merge key', () => {
    expect(merge({ args: ['a'] }, { args: ['b'] })).toEqual({ args: ['b'] });
  });
  test('deletes an element, a key, and replaces on demand', () => {
    expect(
      merge({ env: [{ name: 'a' }, { name: 'b' }] }, { env: [{ $patch: 'delete', name: 'a' }] }),
    ).toEqual({
      env: [{ name: 'b' }],
    });
    expect(merge({ a: 1, b: 2 }, { a: null })).toEqual({ b: 2 });
    expect(merge({ m: { a: 1 } }, { m: { $patch: 'replace', b: 2 } })).toEqual({ m: { b: 2 } });
    expect(merge({ env: [{ name: 'a' }] }, { env: [{ name: 'z' }, { $patch: 'replace' }] })).toEqual({
      env: [{ name: 'z' }],
    });
  });
  test('keeps only the named keys with $retainKeys', () => {
    const target = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } };
    expect(merge(target, { strategy: { $retainKeys: ['type'], type: 'Recreate' } })).toEqual({
      strategy: { type: 'Recreate' },
    });
  });
  test('orders elements as $setElementOrder says', () => {
    const patch = {
      '$setElementOrder/env': [{ name: 'b' }, { name: 'a' }],
      env: [{ name: 'b', value: '1' }],
    };
    expect(merge({ env: [{ name: 'a' }, { name: 'other' }] }, patch)).toEqual({
      env: [{ name: 'b', value: '1' }, { name: 'a' }, { name: 'other' }],
    });
  });
  test('unites finalizers and removes from them', () => {
    expect(merge({ finalizers: ['a', 'b'] }, { finalizers: ['b', 'c'] })).toEqual({
      finalizers: ['a', 'b', 'c'],
    });
    expect(merge({ finalizers: ['a', 'b'] }, { '$deleteFromPrimitiveList/finalizers': ['a'] })).toEqual({
      finalizers: ['b'],
    });
  });
  test('keys the ports of a Service by port', () => {
    const ports = [{ port: 80, name: 'a' }];
    expect(merge({ ports }, { ports: [{ port: 80, targetPort: 1 }] }, 'Service')).toEqual({
      ports: [{ port: 80, name: 'a', targetPort: 1 }],
    });
  });
  test('refuses an element without its key', () => {
    expect(() => merge({ env: [] }, { env: [{ value: 'x' }] })).toThrow(
      'does not contain declared merge key: name',
    );
  });
});

describe('fuzzed', () => {
  const tree = fc.jsonValue({ maxDepth: 3 });
  test('a merge patch of an object onto nothing is the object without its nulls, twice the same', () => {
    fc.assert(
      fc.property(tree, tree, (target, patch) => {
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
      }),
    );
  });
  test('a strategic merge is idempotent and leaves its input alone', () => {
    const names = fc.constantFrom('a', 'b', 'c');
    const container = fc.record({
      name: names,
      image: fc.string(),
      env: fc.uniqueArray(fc.record({ name: names }), { selector: (e) => e.name }),
    });
    const spec = fc.record({
      containers: fc.uniqueArray(container, { selector: (c) => c.name }),
      other: fc.jsonValue({ maxDepth: 1 }).filter((v) => v !== null),
    });
    fc.assert(
      fc.property(spec, spec, (target, patch) => {
        const before = JSON.stringify(target);
        const once = merge(target, patch);
        expect(merge(once, patch)).toEqual(once);
        expect(JSON.stringify(target)).toBe(before);
      }),
    );
  });
});
