import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MeshrootError } from '../lib/errors.ts';
import { checkGoDuration, parseGoBool, parseGoFloat, parseGoInt, parseGoUint } from './go-values.ts';

describe("values as Go's parsers read them", () => {
  test.each(['1', 't', 'T', 'TRUE', 'true', 'True'])('%s is true', (text) =>
    expect(parseGoBool(text)).toBe(true),
  );
  test.each(['0', 'f', 'F', 'FALSE', 'false', 'False', ''])('"%s" is false', (text) =>
    expect(parseGoBool(text)).toBe(false),
  );
  test.each(['0', '1s', '1m30.5s', '-1.5h', '.5s', '1µs', '+3ms'])('%s is a duration', (text) =>
    expect(() => checkGoDuration(text)).not.toThrow(),
  );

  test.each<[string, () => unknown, string]>([
    [
      'tRuE',
      () => parseGoBool('tRuE'),
      `cannot parse '' as bool: strconv.ParseBool: parsing "tRuE": invalid syntax`,
    ],
    ['an int with a unit', () => parseGoInt('5s'), 'strconv.ParseInt: parsing "5s": invalid syntax'],
    [
      'an int beyond 64 bits',
      () => parseGoInt('9223372036854775808'),
      'strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    ['an empty uint', () => parseGoUint(''), 'strconv.ParseUint: parsing "": invalid syntax'],
    ['a signed uint', () => parseGoUint('+1'), 'strconv.ParseUint: parsing "+1": invalid syntax'],
    ['an empty float', () => parseGoFloat(''), 'strconv.ParseFloat: parsing "": invalid syntax'],
    [
      'a float out of range',
      () => parseGoFloat('1e999'),
      'strconv.ParseFloat: parsing "1e999": value out of range',
    ],
    ['a bare number', () => checkGoDuration('5'), 'time: missing unit in duration "5"'],
    ['days', () => checkGoDuration('1d'), 'time: unknown unit "d" in duration "1d"'],
    ['an empty duration', () => checkGoDuration(''), 'time: invalid duration ""'],
    ['what is not ASCII', () => checkGoDuration('fünf'), 'time: invalid duration "f\\xc3\\xbcnf"'],
    ['two points', () => checkGoDuration('1.2.3s'), 'time: invalid duration "1.2.3s"'],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(expect.objectContaining({ code: 'injection-refused', message }));
  });

  test('reads signs, empty and special floats', () => {
    expect([
      parseGoInt(''),
      parseGoInt('-7'),
      parseGoInt('+7'),
      parseGoFloat('.5'),
      parseGoFloat('-Inf'),
    ]).toEqual([0, -7, 7, 0.5, Number.NEGATIVE_INFINITY]);
  });

  test('anything else is refused, never another kind of error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parse of [parseGoBool, parseGoInt, parseGoUint, parseGoFloat, checkGoDuration]) {
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(MeshrootError);
          }
        }
      }),
    );
  });
});
