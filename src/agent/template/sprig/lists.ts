import { randomInt } from 'node:crypto';
import { define, type FunctionTable } from '../functions/define.ts';
import { isTrue, typeName } from '../types.ts';
import { FunctionError, type GoFunction, GoMap, GoSlice, type GoValue, unbox } from '../values.ts';
import { anyList, itemsOf, kindName, strslice, strval, texts, toInt64 } from './cast.ts';
import { deepEqual } from './deep-equal.ts';

const any = 'interface {}';
const list = '[]interface {}';
const more = `...${any}`;

type Change = (items: readonly GoValue[], rest: readonly GoValue[]) => GoValue;

/** One function under its own name and under the one that returns its error; here both return it. */
function twin(
  name: string,
  verb: string,
  change: Change,
  params: readonly string[] = [any],
  result = list,
): [string, GoFunction][] {
  const fn = define(params, result, (a) =>
    change(itemsOf(a.value(0), `Cannot ${verb} on type`), a.raw.slice(1).map(unbox)),
  );
  return [
    [name, fn],
    [`must${name[0]?.toUpperCase()}${name.slice(1)}`, fn],
  ];
}

const push: Change = (items, [v]) => anyList([...items, v]);

/** sprig's lists. */
export const listFunctions: FunctionTable = {
  list: define([more], list, (a) => anyList(a.raw.map(unbox))),
  tuple: define([more], list, (a) => anyList(a.raw.map(unbox))),
  ...Object.fromEntries([
    ...twin('push', 'push', push, [any, any]),
    ...twin('append', 'push', push, [any, any]),
    ...twin('prepend', 'prepend', (items, [v]) => anyList([v, ...items]), [any, any]),
    ...twin('first', 'find first', (items) => items[0], [any], any),
    ...twin('last', 'find last', (items) => items.at(-1), [any], any),
    ...twin('rest', 'find rest', (items) => anyList(items.slice(1))),
    ...twin('initial', 'find initial', (items) => anyList(items.slice(0, -1))),
    ...twin('reverse', 'find reverse', (items) => anyList([...items].reverse())),
    ...twin('compact', 'compact', (items) => anyList(items.filter(isTrue))),
    ...twin('uniq', 'find uniq', (items) => anyList(uniq(items))),
    ...twin('without', 'find without', (items, omit) => anyList(items.filter((i) => !holds(omit, i))), [
      any,
      more,
    ]),
  ]),
  ...hasFunctions(),
  ...sliceFunctions(),
  ...chunkFunctions(),
  concat: define([more], any, (a) =>
    anyList(a.raw.flatMap((v) => itemsOf(v, 'Cannot concat type', ' as list'))),
  ),
  sortAlpha: define([any], '[]string', (a) => texts(sorted(a.value(0)))),
  toStrings: define([any], '[]string', (a) => texts(strslice(a.value(0)))),
  join: define(['string', any], 'string', (a) => strslice(a.value(1)).join(a.text(0))),
  shuffle: define(['string'], 'string', (a) => shuffled(a.text(0))),
};

function holds(items: readonly GoValue[], item: GoValue): boolean {
  return items.some((other) => deepEqual(item, other));
}

function uniq(items: readonly GoValue[]): GoValue[] {
  const out: GoValue[] = [];
  for (const item of items) if (!holds(out, item)) out.push(item);
  return out;
}

function sorted(v: GoValue): string[] {
  return v instanceof GoSlice ? strslice(v).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) : [strval(v)];
}

function hasFunctions(): FunctionTable {
  const fn = define([any, any], 'bool', (a) => {
    if (a.value(1) === undefined) return false;
    return holds(itemsOf(a.value(1), 'Cannot find has on type'), a.value(0));
  });
  return { has: fn, mustHas: fn };
}

function sliceFunctions(): FunctionTable {
  const fn = define([any, more], any, (a) => {
    const v = a.value(0);
    const items = itemsOf(v, 'list should be type of slice or array but');
    if (items.length === 0) return undefined;
    const from = a.length > 1 ? Number(toInt64(a.value(1))) : 0;
    const to = a.length > 2 ? Number(toInt64(a.value(2))) : items.length;
    if (from < 0 || to > items.length || from > to)
      throw new FunctionError('reflect.Value.Slice: slice index out of bounds');
    return new GoSlice(typeName(v), items.slice(from, to));
  });
  return { slice: fn, mustSlice: fn };
}

function chunkFunctions(): FunctionTable {
  const fn = define(['int', any], `[]${list}`, (a) => {
    const size = Number(a.int(0));
    const items = itemsOf(a.value(1), 'Cannot chunk type');
    if (size < 1) throw new FunctionError('chunks need a size of 1 or more');
    const count = Math.ceil(items.length / size);
    const chunks = Array.from({ length: count }, (_, i) => anyList(items.slice(i * size, (i + 1) * size)));
    return new GoSlice(`[]${list}`, chunks);
  });
  return { chunk: fn, mustChunk: fn };
}

/** By runes; the order is a new one at each rendering. */
function shuffled(text: string): string {
  const runes = [...Buffer.from(text, 'latin1').toString('utf8')];
  for (let i = runes.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [runes[i], runes[j]] = [runes[j] ?? '', runes[i] ?? ''];
  }
  return Buffer.from(runes.join('')).toString('latin1');
}

/** What a value is, in reflect's words. */
export const reflectionFunctions: FunctionTable = {
  typeOf: define([any], 'string', (a) => typeName(a.value(0))),
  typeIs: define(['string', any], 'bool', (a) => a.text(0) === typeName(a.value(1))),
  typeIsLike: define(['string', any], 'bool', (a) =>
    [a.text(0), `*${a.text(0)}`].includes(typeName(a.value(1))),
  ),
  kindOf: define([any], 'string', (a) => kindName(a.value(0))),
  kindIs: define(['string', any], 'bool', (a) => a.text(0) === kindName(a.value(1))),
  deepEqual: define([any, any], 'bool', (a) => deepEqual(a.value(0), a.value(1))),
  deepCopy: define([any], any, (a) => copied(a.value(0))),
  mustDeepCopy: define([any], any, (a) => copied(a.value(0))),
};

function copied(value: GoValue): GoValue {
  const v = unbox(value);
  if (v instanceof GoSlice) return new GoSlice(v.type, v.items.map(copied));
  if (!(v instanceof GoMap)) return v;
  return new GoMap(v.type, new Map([...v.entries].map(([k, item]) => [k, copied(item)])));
}
