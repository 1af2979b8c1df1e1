import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exact, isExactNumber, jsonShape, parseJson, toJson } from './exact-json.ts';

const read = (text: string): unknown => {
  const body = Buffer.from(text);
  return parseJson(body, jsonShape(body));
};
const rewritten = (text: string): string => toJson(exact(read(text) as object));

describe('JSON whose numbers keep their digits', () => {
  test.each([
    '{"a":12345678901234567890,"b":1.10,"c":1e3,"d":-0,"e":1.0,"f":[1.50,{"g":0.1}]}',
    '{"1.10":"1.10","q":"\\"1.0","b":"\\\\","n":-1E+5}',
    '{"é":"\u{1f600}","n":10000000000000000000000}',
    '[1.0]',
  ])('%s', (text) => {
    expect(rewritten(text)).toBe(text);
    expect(read(text)).toEqual(JSON.parse(text)); // whoever does not ask sees what it always was
  });

  test('any document is read and written as JSON.parse and JSON.stringify do', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        if (typeof value !== 'object' || value === null) return;
        expect(JSON.parse(rewritten(text))).toEqual(JSON.parse(text));
        expect(toJson(value)).toBe(JSON.stringify(value));
      }),
      { numRuns: 300 },
    );
  });

  test('half of a surrogate pair becomes U+FFFD, so that nobody can send a mark', () => {
    const value = read('{"a":"\\ud800#1.10","b":"\\uD83D\\uDE00","c":"\\\\ud800#1.10","d":1.10}') as Record<
      string,
      string
    >;
    expect(value).toEqual({ a: '\ufffd#1.10', b: '\u{1f600}', c: '\\ud800#1.10', d: 1.1 });
    expect(toJson(exact(value))).toBe('{"a":"\ufffd#1.10","b":"\u{1f600}","c":"\\\\ud800#1.10","d":1.10}');
  });

  test('a mark that is no number is not written as one', () => {
    expect(toJson(['\ud800#1]x', '\ud800#'])).toBe('["\\ud800#1]x","\\ud800#"]');
    expect(isExactNumber('\ud800#1]x')).toBe(false);
    expect(isExactNumber('\ud800#1.10')).toBe(true);
  });

  test('the shape tells of depth and of what no number can be', () => {
    expect(jsonShape(Buffer.from('{"a":[[{"[[[[":"]"}]]}')).depth).toBe(4);
    expect(jsonShape(Buffer.from('{"a":1e400}')).hasInfinity).toBe(true);
    expect(jsonShape(Buffer.from('{"a":"1e400","b":1e300}')).hasInfinity).toBe(false);
    expect(jsonShape(Buffer.from('{"a":1')).inexact).toEqual([]);
  });
});
