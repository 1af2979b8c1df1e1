import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHcl } from './parse.ts';
import { HclError, labelledBlocks, plainBlocks, plainValue } from './tree.ts';

const plain = (text: string): unknown => plainValue(parseHcl(text));
const failure = (text: string): HclError => {
  try {
    parseHcl(text);
  } catch (error) {
    if (error instanceof HclError) return error;
    throw error;
  }
  throw new Error(`was accepted: ${text}`);
};

describe('parseHcl', () => {
  test('reads attributes, blocks with labels, lists and objects', () => {
    expect(
      plain(`
        # a comment
        ui = false // another
        listener "tcp" { address = "127.0.0.1:0" tls_disable = 1 }
        /* and
           a third */
        list = ["a", 2, 3.5, true, { k = "v" },]
        object = { a = 1, b = "x" }
        hex = 0x10 negative = -5
      `),
    ).toEqual({
      ui: false,
      listener: { tcp: { address: '127.0.0.1:0', tls_disable: 1 } },
      list: ['a', 2, 3.5, true, { k: 'v' }],
      object: { a: 1, b: 'x' },
      hex: 16,
      negative: -5,
    });
  });

  test('keeps line and column of each key', () => {
    const [first, second] = parseHcl('a = 1\n  path "x" {\n}\n').entries;
    expect(first).toMatchObject({ key: 'a', line: 1, column: 1 });
    expect(second).toMatchObject({ key: 'path', labels: ['x'], line: 2, column: 3 });
  });

  test('reads heredocs as written, and unindents those with a dash by their marker', () => {
    expect(plain('a = <<EOT\n  one\n two\nEOT\nb = 2')).toEqual({ a: '  one\n two\n', b: 2 });
    expect(plain('a = <<-EOT\n    one\n      two\n    EOT\n')).toEqual({ a: 'one\n  two\n' });
    expect(plain('a = <<-EOT\n one\n    EOT\n')).toEqual({ a: ' one\n' });
  });

  test('positions behind a heredoc and a block comment are right', () => {
    expect(parseHcl('a = <<E\nx\nE\n/* 1\n2 */ b = 1').entries[1]).toMatchObject({ line: 5, column: 6 });
  });

  test('unescapes strings and leaves interpolations alone', () => {
    const interpolation = `$${'{file("x")}'}`;
    expect(plain(String.raw`a = "tab\t quote\" é \x41" b = "${interpolation}"`)).toEqual({
      a: 'tab\t quote" é A',
      b: interpolation,
    });
  });

  test('reads JSON into the same tree', () => {
    const json = '{"path": {"a/b": {"capabilities": ["read"], "n": null}}}';
    expect(plain(json)).toEqual({ path: { 'a/b': { capabilities: ['read'], n: null } } });
    expect(parseHcl(json).entries[0]).toMatchObject({ key: 'path', line: 1, column: 2 });
  });

  test.each([
    ['a = ', 1, 5, 'expected a value, found end of file'],
    ['a\n=\n"x', 3, 1, 'the string is not closed'],
    ['path "x" {\n  a = 1\n', 3, 1, 'expected a key, found end of file'],
    ['a = [1 2]', 1, 8, 'expected "," or "]" in the list, found "2"'],
    ['a b', 1, 4, 'expected "=" or "{" after "a", found end of file'],
    ['a = <<EOT\nx', 1, 5, 'the heredoc is not closed by EOT'],
    ['/* x', 1, 1, 'the comment is not closed'],
    ['a = $', 1, 5, 'unexpected character "$"'],
    ['a = yes', 1, 5, 'expected a value, found "yes"'],
    ['a = "\\q"', 1, 6, 'unknown escape "\\\\q"'],
  ])('refuses %j with the position', (text, line, column, reason) => {
    const error = failure(text);
    expect(error).toMatchObject({ code: 'bad-hcl', line, column, reason });
    expect(error.message).toBe(`line ${line}, column ${column}: ${reason}`);
  });

  test('refuses broken JSON and too deep nesting', () => {
    expect(failure('{"a": }').reason).toMatch(/^not valid JSON: /);
    expect(failure(`a = ${'['.repeat(200)}`).reason).toBe('nested deeper than 64 levels');
  });

  test('any text is either parsed or refused with a position', () => {
    const pieces = fc.constantFrom(
      'a',
      '"',
      '{',
      '}',
      '[',
      ']',
      '=',
      ',',
      '\n',
      '<<E',
      'E\n',
      '${',
      '/*',
      '#',
      '1',
      '\\',
      '.',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces).map((p) => p.join('')),
        ),
        (text) => {
          try {
            parseHcl(text);
          } catch (error) {
            expect(error).toBeInstanceOf(HclError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('any JSON object gives the values that JSON.parse gives', () => {
    const object = fc.dictionary(
      fc.string({ minLength: 1 }).filter((k) => k !== '__proto__'),
      fc.jsonValue({ maxDepth: 4 }),
    );
    fc.assert(
      fc.property(object, (value) => {
        const text = JSON.stringify(value);
        if (text.includes('__proto__')) return;
        expect(JSON.stringify(plain(text))).toEqual(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});

describe('blocks', () => {
  const labels = (text: string): string[] =>
    parseHcl(text)
      .entries.flatMap(labelledBlocks)
      .map((block) => block.label);

  test('every spelling of a labelled block means the same', () => {
    expect(labels('path "a" { } path "b" { }')).toEqual(['a', 'b']);
    expect(labels('path = { "a" = { }, "b" = { } }')).toEqual(['a', 'b']);
    expect(labels('{"path": [{"a": {}}, {"b": [{}]}]}')).toEqual(['a', 'b']);
  });

  test('what is no block is refused', () => {
    expect(() => labels('path = 3')).toThrow('line 1, column 1: "path" must be a block with a label');
    expect(() => labels('path "a" "b" { }')).toThrow('takes one label');
  });

  test('unlabelled blocks may be repeated or a list', () => {
    expect(parseHcl('t { a = 1 } t = [{ a = 2 }]').entries.flatMap(plainBlocks).map(plainValue)).toEqual([
      { a: 1 },
      { a: 2 },
    ]);
  });
});
