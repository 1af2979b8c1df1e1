import { sprintf } from '../printf.ts';
import { quote } from '../quote.ts';
import { isTrue } from '../types.ts';
import {
  FunctionError,
  type GoFunction,
  GoMap,
  GoSlice,
  GoStruct,
  type GoValue,
  sortedKeys,
  stringMap,
  unbox,
} from '../values.ts';
import { define, type FunctionTable } from './define.ts';

const s = 'string';
const any = 'interface {}';
const map = 'map[string]interface {}';

/** Maps, and the scratch pad of one evaluation. */
export function mapFunctions(): FunctionTable {
  const scratch = scratchPad();
  return {
    explodeMap: define([map], map, (a) => explodeMap(a.map(0))),
    mergeMap: define([map, map, '...func(*mergo.Config)'], map, (a) => merged(a.map(0), a.map(1), false)),
    mergeMapWithOverride: define([map, map], map, (a) => merged(a.map(0), a.map(1), true)),
    scratch: define([], '*template.Scratch', () => scratch),
  };
}

function explodeMap(from: ReadonlyMap<string, GoValue>): GoMap {
  const out = new Map<string, GoValue>();
  for (const k of sortedKeys(from)) explodeInto(out, k, from.get(k), k);
  return new GoMap(map, out);
}

function explodeInto(out: Map<string, GoValue>, path: string, v: GoValue, whole: string): void {
  const at = path.indexOf('/');
  if (at === -1) {
    if (path !== '') out.set(path, v);
    return;
  }
  const top = path.slice(0, at);
  if (!out.has(top)) out.set(top, stringMap([]));
  const nest = out.get(top);
  if (!(nest instanceof GoMap))
    throw new FunctionError(
      `explodeMap: not a map: ${quote(whole)}: ${quote(top)} already has value ${sprintf('%q', [nest])}`,
    );
  explodeInto(nest.entries, path.slice(at + 1), v, path);
}

/** mergo.Map: keys the target lacks (or, with override, all) come from the source; maps merge deeply. */
export function merged(
  into: ReadonlyMap<string, GoValue>,
  from: ReadonlyMap<string, GoValue>,
  override: boolean,
): GoMap {
  const out = new Map(into);
  for (const [k, value] of from) {
    const [have, v] = [unbox(out.get(k)), unbox(value)];
    if (have instanceof GoMap && v instanceof GoMap) out.set(k, merged(have.entries, v.entries, override));
    else if (!out.has(k) || !isTrue(have) || override) out.set(k, v);
  }
  return new GoMap(map, out);
}

function scratchPad(): GoStruct {
  const values = new Map<string, GoValue>();
  const inMap = (name: string): GoMap => {
    if (!values.has(name)) values.set(name, stringMap([]));
    const v = values.get(name);
    if (!(v instanceof GoMap)) throw new FunctionError(`${quote(name)} is not a map`);
    return v;
  };
  const set = (onlyNew: boolean): GoFunction =>
    define([s, any], s, (a) => {
      if (!onlyNew || !values.has(a.text(0))) values.set(a.text(0), a.value(1));
      return '';
    });
  const mapSet = (onlyNew: boolean): GoFunction =>
    define([s, s, any], s, (a) => {
      const { entries } = inMap(a.text(0));
      if (!onlyNew || !entries.has(a.text(1))) entries.set(a.text(1), a.value(2));
      return '';
    });
  const methods: [string, GoFunction][] = [
    ['Key', define([s], 'bool', (a) => values.has(a.text(0)))],
    ['Get', define([s], any, (a) => values.get(a.text(0)))],
    ['Set', set(false)],
    ['SetX', set(true)],
    ['MapSet', mapSet(false)],
    ['MapSetX', mapSet(true)],
    [
      'MapValues',
      define([s], '[]interface {}', (a) => {
        const v = values.get(a.text(0));
        return new GoSlice(
          '[]interface {}',
          v instanceof GoMap ? sortedKeys(v.entries).map((k) => v.entries.get(k)) : [],
        );
      }),
    ],
  ];
  return new GoStruct('*template.Scratch', new Map(), new Map(methods));
}
