import { define, type FunctionTable } from '../functions/define.ts';
import { fromJson, type JsonStyle, toJson } from '../functions/json.ts';
import { merged } from '../functions/maps.ts';
import { isTrue, typeName } from '../types.ts';
import {
  type Args,
  FunctionError,
  type GoFunction,
  GoMap,
  type GoValue,
  sortedKeys,
  stringMap,
  unbox,
} from '../values.ts';
import { anyList, strval, texts } from './cast.ts';

const any = 'interface {}';
const map = 'map[string]interface {}';
const mapOf = (a: Args, i: number): GoMap => {
  const v = a.value(i);
  return v instanceof GoMap ? v : stringMap([]);
};

/** sprig's maps; `set`, `unset` and the merges change the map that they are given. */
export const dictFunctions: FunctionTable = {
  dict: define([`...${any}`], map, (a) => dict(a.raw.map(unbox))),
  get: define([map, 'string'], any, (a) => {
    const { entries } = mapOf(a, 0);
    return entries.has(a.text(1)) ? unbox(entries.get(a.text(1))) : '';
  }),
  set: define([map, 'string', any], map, (a) => {
    mapOf(a, 0).entries.set(a.text(1), a.value(2));
    return a.value(0);
  }),
  unset: define([map, 'string'], map, (a) => {
    mapOf(a, 0).entries.delete(a.text(1));
    return a.value(0);
  }),
  hasKey: define([map, 'string'], 'bool', (a) => mapOf(a, 0).entries.has(a.text(1))),
  pluck: define(['string', `...${map}`], '[]interface {}', (a) =>
    anyList(
      a.raw.slice(1).flatMap((v) => {
        const m = unbox(v);
        return m instanceof GoMap && m.entries.has(a.text(0)) ? [unbox(m.entries.get(a.text(0)))] : [];
      }),
    ),
  ),
  // Go's order is a new one each time; a file should not change for that.
  keys: define([`...${map}`], '[]string', (a) =>
    texts(a.raw.map(unbox).flatMap((m) => (m instanceof GoMap ? sortedKeys(m.entries) : []))),
  ),
  values: define([map], '[]interface {}', (a) => {
    const { entries } = mapOf(a, 0);
    return anyList(sortedKeys(entries).map((k) => unbox(entries.get(k))));
  }),
  pick: define([map, '...string'], map, (a) => filtered(a, (wanted) => wanted)),
  omit: define([map, '...string'], map, (a) => filtered(a, (wanted) => !wanted)),
  merge: merge(false),
  mustMerge: merge(false),
  mergeOverwrite: merge(true),
  mustMergeOverwrite: merge(true),
  dig: define([`...${any}`], any, (a) => dig(a.raw.map(unbox))),
};

function dict(values: readonly GoValue[]): GoMap {
  const entries = new Map<string, GoValue>();
  for (let i = 0; i < values.length; i += 2)
    entries.set(strval(values[i]), i + 1 < values.length ? values[i + 1] : '');
  return new GoMap(map, entries);
}

function filtered(a: Args, keep: (named: boolean) => boolean): GoMap {
  const names = new Set(a.texts(1));
  return stringMap([...mapOf(a, 0).entries].filter(([k]) => keep(names.has(k))));
}

function merge(override: boolean): GoFunction {
  return define([map, `...${map}`], any, (a) => {
    const into = mapOf(a, 0);
    for (let i = 1; i < a.length; i++)
      for (const [k, v] of merged(into.entries, mapOf(a, i).entries, override).entries)
        into.entries.set(k, v);
    return into;
  });
}

function dig(args: readonly GoValue[]): GoValue {
  if (args.length < 3) throw new FunctionError('dig needs at least three arguments');
  let at: GoValue = args.at(-1);
  for (const key of args.slice(0, -2)) {
    if (!(at instanceof GoMap))
      throw new FunctionError(
        `interface conversion: interface {} is ${at === undefined ? 'nil' : typeName(at)}, not ${map}`,
      );
    if (typeof key !== 'string')
      throw new FunctionError(
        `interface conversion: interface {} is ${key === undefined ? 'nil' : typeName(key)}, not string`,
      );
    if (!at.entries.has(key)) return args.at(-2);
    at = unbox(at.entries.get(key));
  }
  return at;
}

const json = (style: JsonStyle, mute: boolean): GoFunction =>
  define([any], 'string', (a) => {
    try {
      return toJson(a.value(0), style);
    } catch (error) {
      if (!mute) throw error;
      return '';
    }
  });
const fromJsonWith = (mute: boolean): GoFunction =>
  define(['string'], any, (a) => {
    try {
      return fromJson(a.text(0), 'float64');
    } catch (error) {
      if (!mute) throw error;
      return undefined;
    }
  });
const plain = { escapeHtml: true, indent: 0 };
const pretty = { escapeHtml: true, indent: 2 };
const raw = { escapeHtml: false, indent: 0 };

/** Defaults, choices and JSON. */
export const defaultFunctions: FunctionTable = {
  default: define([any, `...${any}`], any, (a) =>
    a.length < 2 || !isTrue(a.value(1)) ? a.value(0) : a.value(1),
  ),
  empty: define([any], 'bool', (a) => !isTrue(a.value(0))),
  coalesce: define([`...${any}`], any, (a) => a.raw.map(unbox).find(isTrue)),
  all: define([`...${any}`], 'bool', (a) => a.raw.every(isTrue)),
  any: define([`...${any}`], 'bool', (a) => a.raw.some(isTrue)),
  ternary: define([any, any, 'bool'], any, (a) => (a.value(2) === true ? a.value(0) : a.value(1))),
  fail: define(['string'], 'string', (a) => {
    throw new FunctionError(a.text(0));
  }),
  fromJson: fromJsonWith(true),
  mustFromJson: fromJsonWith(false),
  toJson: json(plain, true),
  mustToJson: json(plain, false),
  toPrettyJson: json(pretty, true),
  mustToPrettyJson: json(pretty, false),
  toRawJson: json(raw, false),
  mustToRawJson: json(raw, false),
};
