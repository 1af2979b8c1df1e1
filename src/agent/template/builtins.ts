import { equalsAny, isLess, isLessOrEqual } from './compare.ts';
import { escapeHtml, escapeJs, escapeQuery } from './escape.ts';
import { sprint, sprintln } from './print.ts';
import { sprintf } from './printf.ts';
import { elementOf, elementType, isTrue, kindOf, typeName, zeroOf } from './types.ts';
import {
  type Args,
  Boxed,
  FunctionError,
  GoFunction,
  GoMap,
  GoSlice,
  type GoValue,
  integerOf,
  JsonNumber,
  NilPointer,
  Sized,
  unbox,
} from './values.ts';

const any = 'reflect.Value';
const values = (args: Args): GoValue[] => args.raw.map(unbox);
const compare = (test: (a: GoValue, b: GoValue) => boolean): GoFunction =>
  new GoFunction([any, any], 'bool', (args) => test(args.raw[0], args.raw[1]));
const format = (print: (v: readonly GoValue[]) => string): GoFunction =>
  new GoFunction(['...interface {}'], 'string', (args) => print(values(args)));

/** The functions of Go's text/template itself. */
export const builtins: ReadonlyMap<string, GoFunction> = new Map([
  ['and', new GoFunction([any, `...${any}`], any, (args) => args.raw[0])], // evaluated in call.ts, short-circuit
  ['or', new GoFunction([any, `...${any}`], any, (args) => args.raw[0])],
  ['not', new GoFunction([any], 'bool', (args) => !isTrue(args.raw[0]))],
  ['len', new GoFunction([any], 'int', (args) => length(args.raw[0]))],
  ['index', new GoFunction([any, `...${any}`], any, (args) => index(args.raw[0], args.raw.slice(1)))],
  ['slice', new GoFunction([any, `...${any}`], any, (args) => slice(args.value(0), args.raw.slice(1)))],
  ['call', new GoFunction([any, `...${any}`], any, (args) => call(args))],
  ['print', format(sprint)],
  ['println', format(sprintln)],
  [
    'printf',
    new GoFunction(['string', '...interface {}'], 'string', (args) =>
      sprintf(args.text(0), values(args).slice(1)),
    ),
  ],
  ['html', format((v) => escapeHtml(sprint(v)))],
  ['js', format((v) => escapeJs(sprint(v)))],
  ['urlquery', format((v) => escapeQuery(sprint(v)))],
  ['eq', new GoFunction([any, `...${any}`], 'bool', (args) => equalsAny(args.raw[0], args.raw.slice(1)))],
  ['ne', compare((a, b) => !equalsAny(a, [b]))],
  ['lt', compare(isLess)],
  ['le', compare(isLessOrEqual)],
  ['gt', compare((a, b) => !isLessOrEqual(a, b))],
  ['ge', compare((a, b) => !isLess(a, b))],
]);

function length(item: GoValue): bigint {
  const v = unbox(item);
  if (item instanceof Boxed && v === undefined) throw new FunctionError('len of nil pointer');
  if (v === undefined) throw new FunctionError('reflect: call of reflect.Value.Type on zero Value');
  if (v instanceof NilPointer) throw new FunctionError('len of nil pointer');
  if (typeof v === 'string') return BigInt(v.length);
  if (v instanceof JsonNumber) return BigInt(v.text.length);
  if (v instanceof GoSlice) return BigInt(v.items.length);
  if (v instanceof GoMap) return BigInt(v.entries.size);
  throw new FunctionError(`len of type ${typeName(v)}`);
}

function index(container: GoValue, keys: readonly GoValue[]): GoValue {
  if (unbox(container) === undefined) throw new FunctionError('index of untyped nil');
  let item = container;
  for (const key of keys) item = indexOnce(item, unbox(key));
  return item;
}

function indexOnce(container: GoValue, key: GoValue): GoValue {
  const v = unbox(container);
  if (v === undefined || v instanceof NilPointer) throw new FunctionError('index of nil pointer');
  if (v instanceof GoMap) {
    if (typeof key !== 'string' && !v.type.startsWith('map[interface'))
      throw new FunctionError(
        key === undefined
          ? 'value is nil; should be of type string'
          : `value has type ${typeName(key)}; should be string`,
      );
    const name = typeof key === 'string' ? key : String(integerOf(key) ?? key);
    return v.entries.has(name) ? elementOf(v, v.entries.get(name)) : zeroOf(elementType(v.type));
  }
  if (v instanceof GoSlice) return elementOf(v, v.items[checkedIndex(key, v.items.length, 'slice')]);
  const text = v instanceof JsonNumber ? v.text : v;
  if (typeof text === 'string')
    return new Sized('uint8', BigInt(text.charCodeAt(checkedIndex(key, text.length, 'string'))));
  throw new FunctionError(`can't index item of type ${typeName(v)}`);
}

/** Position within `size`; to get an element `size` itself is too far, and Go says so from another place. */
function checkedIndex(key: GoValue, size: number, element?: 'slice' | 'string'): number {
  const at = integerOf(key);
  if (key === undefined) throw new FunctionError('cannot index slice/array with nil');
  if (at === undefined) throw new FunctionError(`cannot index slice/array with type ${typeName(key)}`);
  if (at < 0n || at > BigInt(size)) throw new FunctionError(`index out of range: ${at}`);
  if (element !== undefined && at === BigInt(size))
    throw new FunctionError(`reflect: ${element} index out of range`);
  return Number(at);
}

function slice(item: GoValue, indexes: readonly GoValue[]): GoValue {
  if (item === undefined) throw new FunctionError('slice of untyped nil');
  if (indexes.length > 3) throw new FunctionError(`too many slice indexes: ${indexes.length}`);
  const text = item instanceof JsonNumber ? item.text : item;
  if (typeof text !== 'string' && !(text instanceof GoSlice))
    throw new FunctionError(`can't slice item of type ${typeName(item)}`);
  if (typeof text === 'string' && indexes.length === 3)
    throw new FunctionError('cannot 3-index slice a string');
  const size = typeof text === 'string' ? text.length : text.items.length;
  const [from = 0, to = size, most] = indexes.map((i) => checkedIndex(unbox(i), size));
  if (from > to) throw new FunctionError(`invalid slice index: ${from} > ${to}`);
  if (most !== undefined && to > most) throw new FunctionError(`invalid slice index: ${to} > ${most}`);
  return typeof text === 'string' ? text.slice(from, to) : new GoSlice(text.type, text.items.slice(from, to));
}

/** The first argument is the callee as it is written, put there by call.ts. */
function call(args: Args): GoValue {
  const fn = args.value(1);
  if (fn === undefined) throw new FunctionError('call of nil');
  if (!(fn instanceof GoFunction) || kindOf(fn) !== 'func')
    throw new FunctionError(`non-function ${args.text(0)} of type ${typeName(fn)}`);
  throw new FunctionError('functions cannot be stored in the data of a template');
}
