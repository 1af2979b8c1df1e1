import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Acl } from './acl.ts';
import { PolicyError, parsePolicy } from './parse-policy.ts';

const acl = (...texts: string[]): Acl =>
  new Acl(
    texts.map((text, i) => ({ name: `p${i}`, rules: parsePolicy(text) })),
    0,
  );
const rule = (path: string, ...capabilities: string[]): string =>
  `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }\n`;

describe('which rule decides', () => {
  test.each([
    ['an exact path before any pattern', rule('a/*', 'read') + rule('a/b', 'list'), 'a/b', ['list']],
    ['the wildcard further right', rule('a/*', 'read') + rule('a/b/*', 'list'), 'a/b/c', ['list']],
    ['a plus further right than a star', rule('a/b*', 'read') + rule('a/b/+', 'list'), 'a/b/c', ['list']],
    ['no star before a star', rule('a/+/c', 'list') + rule('a/+/*', 'read'), 'a/x/c', ['list']],
    ['fewer plus', rule('a/+/c/d', 'list') + rule('a/+/+/d', 'read'), 'a/x/c/d', ['list']],
    ['the longer text', rule('a/+/c/*', 'list') + rule('a/+/*', 'read'), 'a/x/c/d', ['list']],
    ['a star in the middle of a word', rule('a/ab*', 'read') + rule('a/*', 'list'), 'a/abc', ['read']],
    ['plus takes no slash and nothing empty', rule('a/+', 'read'), 'a/b/c', ['deny']],
    ['nothing said', rule('a', 'read'), 'b', ['deny']],
  ])('%s', (_, text, path, expected) => {
    expect(acl(text).capabilities(path)).toEqual(expected);
  });

  test('policies add up on the same path, and deny wipes the rest', () => {
    expect(acl(rule('a', 'read'), rule('a', 'list')).capabilities('a')).toEqual(['list', 'read']);
    expect(acl(rule('a', 'read'), rule('a', 'deny')).capabilities('a')).toEqual(['deny']);
  });

  test('names the policies that give what was asked for', () => {
    const both = acl(rule('a', 'read'), rule('a', 'list', 'read'), rule('b', 'list'));
    const asked = { path: 'a', data: {}, needsSudo: false, wrapTtl: undefined } as const;
    expect(both.allows({ ...asked, operation: 'read' })).toEqual({ allowed: true, granting: ['p0', 'p1'] });
    expect(both.allows({ ...asked, operation: 'list' })).toEqual({ allowed: true, granting: ['p1'] });
    expect(both.allows({ ...asked, operation: 'update' })).toEqual({ allowed: false, granting: [] });
  });

  test('a stanza ends at its time, and the compiled rules say when that is', () => {
    const rules = parsePolicy(
      'path "a" { capabilities = ["read"] expiration = 10 }\npath "b" { capabilities = ["read"] expiration = 20 }',
    );
    const at = (now: number): Acl => new Acl([{ name: 'p', rules }], now);
    expect([at(9_999).until, at(10_000).until, at(20_000).until]).toEqual([10_000, 20_000, Infinity]);
    expect(at(9_999).capabilities('a')).toEqual(['read']);
    expect(at(10_000).capabilities('a')).toEqual(['deny']);
    expect(at(10_000).capabilities('b')).toEqual(['read']);
  });

  test('a grant of one path below counts as a grant of the mount', () => {
    expect(acl(rule('m/a/b', 'read')).grantsBelow('m/')).toBe(true);
    expect(acl(rule('+/a/*', 'read')).grantsBelow('m/')).toBe(true);
    expect(acl(rule('m/a', 'deny')).grantsBelow('m/')).toBe(false);
    expect(acl(rule('mm/a', 'read')).grantsBelow('m/')).toBe(false);
  });

  test('the trie finds what a walk over all patterns finds', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', '+');
    const pattern = fc
      .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([parts, glob]) => {
        const text = parts.join('/');
        return glob && !text.endsWith('+') ? `${text}*` : text;
      });
    const path = fc
      .array(fc.constantFrom('a', 'b', 'ab', 'abc'), { minLength: 1, maxLength: 5 })
      .map((p) => p.join('/'));
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 8 }), path, (patterns, asked) => {
        const found = acl(patterns.map((p) => rule(p, 'read')).join('')).capabilities(asked);
        expect(found).toEqual(patterns.some((p) => matches(p, asked)) ? ['read'] : ['deny']);
      }),
      { numRuns: 500 },
    );
  });
});

function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replace(/\*$/, '')
    .split('/')
    .map((part) => (part === '+' ? '[^/]+' : part))
    .join('/');
  return new RegExp(`^${source}${pattern.endsWith('*') ? '.*' : ''}$`).test(path);
}

describe('parsePolicy', () => {
  test('knows the old words', () => {
    expect([...(parsePolicy('path "a" { policy = "write" }')[0]?.capabilities ?? [])].sort()).toEqual([
      'create',
      'delete',
      'list',
      'read',
      'update',
    ]);
  });

  test.each([
    ['path "a" { capabilities = ["zap"] }', 'path "a": invalid capability "zap"'],
    [
      'path "a" { list_scan_response_keys_filter_path = "x" }',
      'path "a": list_scan_response_keys_filter_path is not offered by this server',
    ],
    [
      'path "a" { expiration = "x" }',
      'path "a": invalid expiration time: could not parse string as date and time',
    ],
    ['foo = 1', '1 error occurred:\n\t* invalid key "foo" on line 1\n\n'],
    ['path "a" { bar = 1 }', '1 error occurred:\n\t* path "a": invalid key "bar" on line 1\n\n'],
    ['path "a/+*" { }', `path "a/+*": invalid use of wildcards ('+*' is forbidden)`],
    ['path "a" { min_wrapping_ttl = "x" }', 'error parsing min_wrapping_ttl: time: invalid duration "x"'],
  ])('refuses %j', (text, message) => {
    expect(() => parsePolicy(text)).toThrow(message);
  });

  test('any text is a policy or refused with a position', () => {
    const words = fc.constantFrom(
      'path',
      '"a/*"',
      '{',
      '}',
      'capabilities',
      '=',
      '["read"]',
      'policy',
      '"write"',
      '\n',
      'x',
      '[',
      '1',
      'allowed_parameters',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(words).map((w) => w.join(' ')),
          fc.string(),
        ),
        (text) => {
          try {
            parsePolicy(text);
          } catch (error) {
            expect(error).toBeInstanceOf(PolicyError);
          }
        },
      ),
    );
  });
});
