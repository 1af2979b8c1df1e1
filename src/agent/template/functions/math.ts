import { sprintf } from '../printf.ts';
import { kindOf, typeName } from '../types.ts';
import {
  type Args,
  Channel,
  FunctionError,
  type GoFunction,
  type GoValue,
  integerOf,
  Sized,
} from '../values.ts';
import { define, type FunctionTable } from './define.ts';
import { parseIntText } from './parse-values.ts';

const any = 'interface {}';

type Operation = 'add' | 'subtract' | 'multiply' | 'divide' | 'modulo' | 'minimum' | 'maximum';

const wholes: Readonly<Record<Exclude<Operation, 'minimum' | 'maximum'>, (a: bigint, b: bigint) => bigint>> =
  {
    add: (a, b) => a + b,
    subtract: (a, b) => a - b,
    multiply: (a, b) => a * b,
    divide: (a, b) => divisor(a, b, (x, y) => x / y),
    modulo: (a, b) => divisor(a, b, (x, y) => x % y),
  };
const floats: Readonly<Record<'add' | 'subtract' | 'multiply' | 'divide', (a: number, b: number) => number>> =
  {
    add: (a, b) => a + b,
    subtract: (a, b) => a - b,
    multiply: (a, b) => a * b,
    divide: (a, b) => a / b,
  };

function divisor(a: bigint, b: bigint, op: (a: bigint, b: bigint) => bigint): bigint {
  if (b === 0n) throw new FunctionError('runtime error: integer divide by zero');
  return op(a, b);
}

/** `OP b a` computes `a OP b`, so that `5 | subtract 2` is 3. */
function arithmetic(name: Exclude<Operation, 'minimum' | 'maximum'>): GoFunction {
  return define([any, any], any, (args) => {
    const [b, a] = numbers(name, args);
    const [ia, ib] = [integerOf(a), integerOf(b)];
    if (ia !== undefined && ib !== undefined) {
      const unsigned = kindOf(a) === 'uint' && kindOf(b) === 'uint';
      const result = wholes[name](ia, ib);
      return unsigned
        ? new Sized('uint64', BigInt.asUintN(64, result))
        : new Sized('int64', BigInt.asIntN(64, result));
    }
    if (name === 'modulo') throw unknownType(name, ia === undefined ? a : b);
    return floats[name](asFloat(a), asFloat(b));
  });
}

function extreme(name: 'minimum' | 'maximum'): GoFunction {
  return define([any, any], any, (args) => {
    const [b, a] = numbers(name, args);
    const [x, y] = [integerOf(a) ?? asFloat(a), integerOf(b) ?? asFloat(b)];
    return widened((name === 'minimum' ? x < y : x > y) ? a : b);
  });
}

/** reflect's Int(), Uint() and Float() widen to 64 bits. */
function widened(v: GoValue): GoValue {
  const int = integerOf(v);
  return int === undefined ? v : new Sized(kindOf(v) === 'uint' ? 'uint64' : 'int64', int);
}

function numbers(name: Operation, args: Args): [GoValue, GoValue] {
  const [b, a] = [args.value(0), args.value(1)];
  for (const v of [a, b]) {
    const kind = kindOf(v);
    if (kind !== 'int' && kind !== 'uint' && kind !== 'float') throw unknownType(name, v);
  }
  return [b, a];
}

function unknownType(name: Operation, v: GoValue): FunctionError {
  const shown = v === undefined ? '<invalid reflect.Value>' : sprintf('%q', [v]);
  return new FunctionError(`${name}: unknown type for ${shown} (${typeName(v)})`);
}

function asFloat(v: GoValue): number {
  return typeof v === 'number' ? v : Number(integerOf(v) ?? 0n);
}

function* count(from: bigint, to: bigint): Iterable<GoValue> {
  for (let i = from; i < to; i++) yield new Sized('int64', i);
}

function loopBound(v: GoValue): bigint {
  if (typeof v === 'string') return parseIntText(v);
  const int = integerOf(v);
  if (int === undefined) throw new FunctionError(`loop: bad argument type: ${typeName(v)}`);
  return int;
}

/** consul-template's arithmetic, and `loop`. */
export const mathFunctions: FunctionTable = {
  add: arithmetic('add'),
  subtract: arithmetic('subtract'),
  multiply: arithmetic('multiply'),
  divide: arithmetic('divide'),
  modulo: arithmetic('modulo'),
  minimum: extreme('minimum'),
  maximum: extreme('maximum'),
  loop: define([`...${any}`], '<-chan int64', (args) => {
    if (args.length !== 1 && args.length !== 2)
      throw new FunctionError(`loop: wrong number of arguments, expected 1 or 2, but got ${args.length}`);
    const bounds = args.length === 1 ? [0n, args.value(0)] : [args.value(0), args.value(1)];
    return new Channel('<-chan int64', count(loopBound(bounds[0]), loopBound(bounds[1])));
  }),
};
