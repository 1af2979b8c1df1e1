import { randomInt } from 'node:crypto';
import { define, type FunctionTable } from '../functions/define.ts';
import { type Args, FunctionError, type GoFunction, GoSlice, type GoValue } from '../values.ts';
import { int64, strval, toFloat64, toInt64 } from './cast.ts';
import { type Decimal, decimalOf, floatOf, plus, quotient, times } from './decimal.ts';

const any = 'interface {}';

const whole = (params: readonly string[], op: (n: readonly bigint[]) => bigint): GoFunction =>
  define(params, 'int64', (a) => int64(op(a.raw.map(toInt64))));
const real = (params: readonly string[], op: (n: readonly number[]) => number): GoFunction =>
  define(params, 'float64', (a) => op(a.raw.map(toFloat64)));
const decimals = (
  params: readonly string[],
  op: (a: Decimal, b: Decimal) => Decimal,
  ...first: number[]
): GoFunction =>
  define(params, 'float64', (a) => {
    const [start = decimalOf(0), ...more] = [...first, ...a.raw.map(toFloat64)].map(decimalOf);
    return floatOf(more.reduce(op, start));
  });
const some = [any, `...${any}`];

function divide(a: bigint, b: bigint, op: (a: bigint, b: bigint) => bigint): bigint {
  if (b === 0n) throw new FunctionError('runtime error: integer divide by zero');
  return op(a, b);
}

/** sprig's arithmetic: texts and numbers of every type count as what they look like. */
export const numberFunctions: FunctionTable = {
  atoi: define(['string'], 'int', (a) => atoi(a.text(0))),
  int: define([any], 'int', (a) => toInt64(a.value(0))),
  int64: define([any], 'int64', (a) => int64(toInt64(a.value(0)))),
  float64: define([any], 'float64', (a) => toFloat64(a.value(0))),
  toDecimal: define([any], 'int64', (a) => int64(octal(strval(a.value(0))))),
  add1: whole([any], ([n = 0n]) => n + 1n),
  add: whole([`...${any}`], (n) => n.reduce((a, b) => a + b, 0n)),
  sub: whole([any, any], ([a = 0n, b = 0n]) => a - b),
  mul: whole(some, (n) => n.reduce((a, b) => BigInt.asIntN(64, a * b), 1n)),
  div: whole([any, any], ([a = 0n, b = 0n]) => divide(a, b, (x, y) => x / y)),
  mod: whole([any, any], ([a = 0n, b = 0n]) => divide(a, b, (x, y) => x % y)),
  max: whole(some, (n) => largest(n)),
  biggest: whole(some, (n) => largest(n)),
  min: whole(some, (n) => smallest(n)),
  maxf: real(some, (n) => Math.max(...n)),
  minf: real(some, (n) => Math.min(...n)),
  ceil: real([any], ([n = 0]) => Math.ceil(n)),
  floor: real([any], ([n = 0]) => Math.floor(n)),
  round: define([any, 'int', '...float64'], 'float64', round),
  add1f: decimals([any], plus, 1),
  addf: decimals([`...${any}`], plus, 0),
  subf: decimals(some, (a, b) => plus(a, { ...b, coefficient: -b.coefficient })),
  mulf: decimals(some, times),
  divf: decimals(some, quotient),
  randInt: define(['int', 'int'], 'int', (a) => {
    if (a.int(1) <= a.int(0)) throw new FunctionError('invalid argument to Intn');
    return a.int(0) + BigInt(randomInt(Number(a.int(1) - a.int(0))));
  }),
  until: define(['int'], '[]int', (a) => ints(steps(0n, a.int(0), a.int(0) < 0n ? -1n : 1n))),
  untilStep: define(['int', 'int', 'int'], '[]int', (a) => ints(steps(a.int(0), a.int(1), a.int(2)))),
  seq: define(['...int'], 'string', (a) => seq(a.raw.map(toInt64)).join(' ')),
};

function atoi(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) return 0n;
  const n = BigInt(text.replace('+', ''));
  // Out of range: the error is dropped, the nearest value stays.
  return n > 2n ** 63n - 1n ? 2n ** 63n - 1n : n < -(2n ** 63n) ? -(2n ** 63n) : n;
}

function octal(text: string): bigint {
  const match = /^([+-]?)([0-7]+)$/.exec(text);
  if (match === null) return 0n;
  const n = BigInt(`0o${match[2]}`);
  return match[1] === '-' ? -n : n;
}

function round(a: Args): number {
  const [value, places] = [toFloat64(a.value(0)), Number(a.int(1))];
  const on = a.length > 2 ? toFloat64(a.value(2)) : 0.5;
  const power = 10 ** places;
  const digit = power * value;
  return (digit - Math.trunc(digit) >= on ? Math.ceil(digit) : Math.floor(digit)) / power;
}

/** More than anybody counts in a template, and little enough to hold. */
const mostSteps = 1_000_000;

function steps(start: bigint, stop: bigint, step: bigint): bigint[] {
  const out: bigint[] = [];
  if (step === 0n || stop === start || stop < start !== step < 0n) return out;
  for (let i = start; step > 0n ? i < stop : i > stop; i += step) {
    if (out.length === mostSteps) throw new FunctionError(`more than ${mostSteps} numbers`);
    out.push(i);
  }
  return out;
}

function seq(n: readonly bigint[]): bigint[] {
  if (n.length === 0 || n.length > 3) return [];
  const [start = 1n, end = 0n] = n.length === 1 ? [1n, n[0]] : [n[0], n.at(-1)];
  const way = end < start ? -1n : 1n;
  const step = n.length === 3 ? (n[1] ?? way) : way;
  if (n.length === 3 && way < 0n && step > 0n) return [];
  return steps(start, end + way, step);
}

function ints(items: readonly GoValue[]): GoSlice {
  return new GoSlice('[]int', items);
}

/** Math.max takes no bigints. */
function largest([first = 0n, ...rest]: readonly bigint[]): bigint {
  let most = first;
  for (const n of rest) if (n > most) most = n;
  return most;
}

function smallest(n: readonly bigint[]): bigint {
  return -largest(n.map((v) => -v));
}
