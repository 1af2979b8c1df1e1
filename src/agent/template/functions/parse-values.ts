import { goFloat } from '../number.ts';
import { quote } from '../quote.ts';
import { FunctionError, Sized } from '../values.ts';
import { define, type FunctionTable } from './define.ts';

const s = 'string';

function syntaxError(outer: string, inner: string, text: string, what = 'invalid syntax'): FunctionError {
  return new FunctionError(
    `${outer === '' ? '' : `${outer}: `}strconv.${inner}: parsing ${quote(text)}: ${what}`,
  );
}

/** strconv.ParseInt(text, 10, 64); empty is 0 in consul-template. */
export function parseIntText(text: string, outer = 'parseInt'): bigint {
  if (text === '') return 0n;
  if (!/^[+-]?\d+$/.test(text)) throw syntaxError(outer, 'ParseInt', text);
  const n = BigInt(text.replace('+', ''));
  if (BigInt.asIntN(64, n) !== n) throw syntaxError(outer, 'ParseInt', text, 'value out of range');
  return n;
}

function parseUint(text: string): bigint {
  if (text === '') return 0n;
  if (!/^\d+$/.test(text)) throw syntaxError('parseUint', 'ParseUint', text);
  const n = BigInt(text);
  if (BigInt.asUintN(64, n) !== n) throw syntaxError('parseUint', 'ParseUint', text, 'value out of range');
  return n;
}

function parseBool(text: string): boolean {
  if (text === '' || ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  throw syntaxError('parseBool', 'ParseBool', text);
}

function parseFloat64(text: string): number {
  if (text === '') return 0;
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  const n = goFloat(text);
  if (n === undefined) throw syntaxError('parseFloat', 'ParseFloat', text);
  return n;
}

/** Text to Go values; the empty text is the zero value. */
export const parseFunctions: FunctionTable = {
  parseBool: define([s], 'bool', (a) => parseBool(a.text(0))),
  parseFloat: define([s], 'float64', (a) => parseFloat64(a.text(0))),
  parseInt: define([s], 'int64', (a) => new Sized('int64', parseIntText(a.text(0)))),
  parseUint: define([s], 'uint64', (a) => new Sized('uint64', parseUint(a.text(0)))),
};
