import { goFloat, goInteger } from '../number.ts';
import { formatValue } from '../print.ts';
import { kindOf } from '../types.ts';
import { FunctionError, GoSlice, type GoValue, integerOf, JsonNumber, Sized, unbox } from '../values.ts';

/** `int64` of whatever looks like a number; 0 for everything else, never an error. */
export function toInt64(value: GoValue): bigint {
  const v = unbox(value);
  const whole = integerOf(v);
  if (whole !== undefined) return BigInt.asIntN(64, whole);
  if (typeof v === 'boolean') return v ? 1n : 0n;
  if (typeof v === 'number') return Number.isFinite(v) ? BigInt.asIntN(64, BigInt(Math.trunc(v))) : 0n;
  const text = v instanceof JsonNumber ? v.text : v;
  if (typeof text !== 'string') return 0n;
  const n = goInteger(text.replace(/\.0+$/, '')) ?? 0n;
  return n === BigInt.asIntN(64, n) ? n : 0n;
}

/** `float64` of whatever looks like a number; 0 for everything else. */
export function toFloat64(value: GoValue): number {
  const v = unbox(value);
  if (typeof v === 'number') return v;
  if (typeof v === 'boolean') return v ? 1 : 0;
  const text = v instanceof JsonNumber ? v.text : v;
  if (typeof text === 'string') return goFloat(text) ?? 0;
  return Number(integerOf(v) ?? 0n);
}

/** A value as text: strings as they are, the rest as `%v`. */
export function strval(value: GoValue): string {
  return formatValue(unbox(value));
}

/** Texts of a list without its nils; anything else as a list of one, nil as an empty one. */
export function strslice(value: GoValue): string[] {
  const v = unbox(value);
  if (v === undefined) return [];
  if (!(v instanceof GoSlice)) return [strval(v)];
  return v.items.map(unbox).flatMap((item) => (item === undefined ? [] : [strval(item)]));
}

/** The elements of a list. @throws FunctionError `Cannot push on type string` */
export function itemsOf(value: GoValue, complaint: string, end = ''): readonly GoValue[] {
  const v = unbox(value);
  if (v instanceof GoSlice) return v.items.map(unbox);
  if (v === undefined)
    throw new FunctionError('runtime error: invalid memory address or nil pointer dereference');
  throw new FunctionError(`${complaint} ${kindName(v)}${end}`);
}

/** reflect's name of a kind: `int64`, `float64`, `map`, `ptr`. */
export function kindName(v: GoValue): string {
  if (v instanceof Sized) return v.type;
  const kind = kindOf(v);
  if (kind === 'float') return 'float64';
  return kind === 'complex' ? 'complex128' : kind === 'pointer' ? 'ptr' : kind;
}

export const int64 = (n: bigint): Sized => new Sized('int64', BigInt.asIntN(64, n));
export const anyList = (items: readonly GoValue[]): GoSlice => new GoSlice('[]interface {}', items);
export const texts = (items: readonly string[]): GoSlice => new GoSlice('[]string', items);
