import { createRequire } from 'node:module';
import type YamlModule from 'yaml';
import { messageOf } from '../../../lib/errors.ts';
import { formatFloat } from '../float-format.ts';
import {
  FunctionError,
  fromUtf8,
  GoMap,
  GoSlice,
  GoStruct,
  type GoValue,
  JsonNumber,
  NilPointer,
  Sized,
  sortedKeys,
  toUtf8,
  unbox,
} from '../values.ts';

/** Loaded on first use and synchronously: a template function cannot wait, and most templates never need it. */
function yamlLibrary(): typeof YamlModule {
  return createRequire(import.meta.url)('yaml') as typeof YamlModule;
}

/** YAML 1.1 as yaml.v2 reads it: maps become `map[interface {}]interface {}`, whole numbers `int`. */
export function fromYaml(text: string): GoValue {
  try {
    const parsed: unknown = yamlLibrary().parse(toUtf8(text), {
      version: '1.1',
      logLevel: 'error', // its warnings would quote the secret on stderr
      customTags: (tags) =>
        tags.filter((t) => typeof t === 'string' || t.tag !== 'tag:yaml.org,2002:timestamp'),
      intAsBigInt: true,
      mapAsMap: true,
      merge: true,
    });
    return toGo(parsed);
  } catch (error) {
    throw new FunctionError(`yaml: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
}

function toGo(v: unknown): GoValue {
  if (typeof v === 'string') return fromUtf8(v);
  if (typeof v === 'number' || typeof v === 'boolean' || typeof v === 'bigint') return v;
  if (Array.isArray(v)) return new GoSlice('[]interface {}', v.map(toGo));
  if (!(v instanceof Map)) return undefined;
  const entries = [...v].map(([k, value]: [unknown, unknown]) => [fromUtf8(String(k)), toGo(value)] as const);
  return new GoMap('map[interface {}]interface {}', new Map(entries));
}

/** yaml.v2's Marshal: sorted keys, two spaces, lists at the level of their key, plain scalars where they stay text. */
export function toYaml(v: GoValue): string {
  return block(unbox(v), 0, false).replace(/^\n/, '');
}

function block(v: GoValue, level: number, inList: boolean): string {
  if (v instanceof GoMap || v instanceof GoStruct) return mapBlock(v, level, inList);
  if (v instanceof GoSlice) return listBlock(v, level, inList);
  return ` ${scalar(v, level)}\n`.slice(level === 0 ? 1 : 0);
}

function mapBlock(v: GoMap | GoStruct, level: number, inList: boolean): string {
  const entries =
    v instanceof GoMap ? v.entries : new Map([...v.fields].map(([k, x]) => [k.toLowerCase(), x]));
  if (entries.size === 0) return level === 0 ? '{}\n' : ' {}\n';
  const pad = ' '.repeat(level * 2);
  const lines = naturalOrder(sortedKeys(entries)).map((k) => {
    const value = unbox(entries.get(k));
    const isList = value instanceof GoSlice;
    return `${pad}${scalar(k, level)}:${block(value, isList ? Math.max(level, 0.5) : level + 1, false)}`;
  });
  const text = lines.join('');
  return inList ? ` ${text.slice(pad.length)}` : `\n${text}`;
}

function listBlock(v: GoSlice, level: number, inList: boolean): string {
  const depth = Math.floor(level);
  if (v.items.length === 0) return level === 0 ? '[]\n' : ' []\n';
  const pad = ' '.repeat(depth * 2);
  const text = v.items.map((item) => `${pad}-${block(unbox(item), depth + 1, true)}`).join('');
  return inList ? ` ${text.slice(pad.length)}` : `\n${text}`;
}

/** yaml.v2 sorts keys with numbers in them by value: `a2` before `a10`. */
function naturalOrder(keys: readonly string[]): string[] {
  const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'variant' });
  return keys.some((k) => /\d/.test(k)) ? [...keys].sort((a, b) => collator.compare(a, b)) : [...keys];
}

function scalar(v: GoValue, level: number): string {
  if (v === undefined || v instanceof NilPointer) return 'null';
  if (typeof v === 'number')
    return formatFloat(v, 'g', -1)
      .replace(/^([+-]?)Inf$/, '$1.inf')
      .replace('+.', '.');
  if (v instanceof Sized) return String(v.value);
  if (v instanceof JsonNumber) return v.text;
  return typeof v === 'string' ? text(v, level) : String(v);
}

const looksOther =
  /^(?:|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF|<<|[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.[\d_]+)(?:[eE][-+]?\d+)?|0x[\da-fA-F_]+|0o?[0-7_]+|0b[01_]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|\d{4}-\d\d?-\d\d?.*)$/;

function text(value: string, level: number): string {
  if (value.includes('\n')) return literal(value, level);
  if (looksOther.test(value)) return `"${value}"`;
  const unsafe = /^[\s\-?:,[\]{}#&*!|>'"%@`]|: |:$| #|\s$/.test(value) && !/^-[^\s]/.test(value);
  if (/\p{Cc}/u.test(value)) return JSON.stringify(value);
  return unsafe ? `'${value.replaceAll("'", "''")}'` : value;
}

function literal(value: string, level: number): string {
  const chomp = /\n\n$/.test(value) ? '+' : value.endsWith('\n') ? '' : '-';
  const hint = /^[ \n]/.test(value) ? '2' : '';
  const pad = ' '.repeat(Math.max(1, Math.ceil(level)) * 2);
  const body = value.replace(/\n$/, '').replace(/^(?=[^\n])/gm, pad);
  return `|${hint}${chomp}\n${body}`;
}
