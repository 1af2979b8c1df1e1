import { quote, unquoteChar } from './quote.ts';

/** A numeric constant: which kinds it can be, and its value as each, by Go's rules for ideal constants. */
export interface NumberConstant {
  readonly text: string;
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly re: number; readonly im: number };
}

const maxInt = 2n ** 63n - 1n;
const minInt = -(2n ** 63n);
const maxUint = 2n ** 64n - 1n;

/** @returns the constant, or the text of the error */
export function parseNumber(
  text: string,
  type: 'number' | 'charConstant' | 'complex',
): NumberConstant | string {
  if (type === 'charConstant') return charConstant(text);
  if (type === 'complex') return complexConstant(text);
  if (text.endsWith('i')) {
    const im = goFloat(text.slice(0, -1));
    if (im !== undefined) return simplified(text, { re: 0, im });
  }
  const int = goInteger(text);
  if (int !== undefined && int >= minInt && int <= maxUint) {
    const signed = text.startsWith('-') || text.startsWith('+');
    return {
      text,
      float: Number(int),
      ...(int <= maxInt ? { int } : {}),
      ...((int >= 0n && !signed) || int === 0n ? { uint: int } : {}),
    };
  }
  const float = goFloat(text);
  if (float === undefined) return `illegal number syntax: ${quote(text)}`;
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quote(text)}`;
  return { text, float, ...integersOf(float) };
}

function integersOf(float: number): { int?: bigint; uint?: bigint } {
  if (!Number.isInteger(float)) return {};
  const n = BigInt(float);
  return {
    ...(n >= minInt && n <= maxInt ? { int: n } : {}),
    ...(n >= 0n && n <= maxUint ? { uint: n } : {}),
  };
}

function charConstant(text: string): NumberConstant | string {
  const char = unquoteChar(text.slice(1), 0, "'");
  if (char === undefined) return 'invalid syntax';
  if (char.width !== text.length - 2) return `malformed character constant: ${text}`;
  return { text, int: BigInt(char.code), uint: BigInt(char.code), float: char.code };
}

function complexConstant(text: string): NumberConstant | string {
  const match = /^(.*[^eEpP+-])([+-].*)i$/.exec(text);
  const re = goFloat(match?.[1] ?? '');
  const im = goFloat(match?.[2] ?? '');
  return re === undefined || im === undefined
    ? 'syntax error scanning complex number'
    : simplified(text, { re, im });
}

function simplified(text: string, complex: { re: number; im: number }): NumberConstant {
  if (complex.im !== 0) return { text, complex };
  return { text, complex, float: complex.re, ...integersOf(complex.re) };
}

/** strconv.ParseInt/ParseUint with base 0: `0x`, `0o`, `0b`, leading-zero octal, `_` between digits. */
export function goInteger(text: string): bigint | undefined {
  const match =
    /^([+-]?)(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[oO]_?[0-7]+(?:_[0-7]+)*|0[bB]_?[01]+(?:_[01]+)*|0(?:_?[0-7]+)*|[1-9]\d*(?:_\d+)*)$/.exec(
      text,
    );
  if (match === null) return undefined;
  let digits = (match[2] ?? '').replaceAll('_', '');
  if (/^0\d/.test(digits)) digits = `0o${digits.slice(1)}`;
  const n = BigInt(digits);
  return match[1] === '-' ? -n : n;
}

/** strconv.ParseFloat of decimal and hexadecimal floats; undefined when malformed or out of range. */
export function goFloat(text: string): number | undefined {
  const decimal = text.replace(/(\d)_(?=\d)/g, '$1');
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(decimal)) {
    const n = Number(decimal);
    return Number.isFinite(n) ? n : undefined;
  }
  const hex = /^([+-]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([+-]?\d+)$/.exec(decimal);
  if (hex === null || `${hex[2]}${hex[3]}` === '') return undefined;
  const mantissa = Number(BigInt(`0x${hex[2]}${hex[3]}`)) * 2 ** (-4 * (hex[3] ?? '').length);
  const n = mantissa * 2 ** Number(hex[4]);
  return hex[1] === '-' ? -n : n;
}
