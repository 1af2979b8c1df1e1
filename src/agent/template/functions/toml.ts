import { formatFloat } from '../float-format.ts';
import { typeName } from '../types.ts';
import {
  FunctionError,
  GoMap,
  GoSlice,
  type GoValue,
  JsonNumber,
  Sized,
  sortedKeys,
  unbox,
} from '../values.ts';

/** BurntSushi/toml's encoder: plain keys first, then tables, both sorted; sub-tables indented by two spaces. */
export function toToml(v: GoValue): string {
  const root = unbox(v);
  return root instanceof GoMap ? table(root, []) : inline(root);
}

const isTable = (v: GoValue): v is GoMap => v instanceof GoMap;
const isTableList = (v: GoValue): v is GoSlice =>
  v instanceof GoSlice && v.items.length > 0 && v.items.every((i) => unbox(i) instanceof GoMap);

function table(map: GoMap, path: readonly string[]): string {
  const pad = '  '.repeat(Math.max(0, path.length));
  const entries = sortedKeys(map.entries).map((k) => [k, unbox(map.entries.get(k))] as const);
  let out = '';
  for (const [k, v] of entries)
    if (v !== undefined && !isTable(v) && !isTableList(v)) out += `${pad}${key(k)} = ${inline(v)}\n`;
  for (const [k, v] of entries) {
    const name = [...path, key(k)];
    if (isTable(v)) out += `${gap(out, path)}${pad}[${name.join('.')}]\n${table(v, name)}`;
    else if (isTableList(v)) {
      for (const item of v.items) {
        const inner = unbox(item);
        if (inner instanceof GoMap)
          out += `${gap(out, path)}${pad}[[${name.join('.')}]]\n${table(inner, name)}`;
      }
    }
  }
  return out;
}

/** Only top-level tables are set apart by an empty line. */
const gap = (out: string, path: readonly string[]): string => (out === '' || path.length > 0 ? '' : '\n');

function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name);
}

function inline(v: GoValue): string {
  if (typeof v === 'string') return quoted(v);
  if (typeof v === 'boolean' || typeof v === 'bigint') return String(v);
  if (typeof v === 'number') return tomlFloat(v);
  if (v instanceof Sized) return String(v.value);
  if (v instanceof JsonNumber) return v.text;
  if (v instanceof GoSlice) return `[${v.items.map((i) => inline(unbox(i))).join(', ')}]`;
  if (v instanceof GoMap) {
    const pairs = sortedKeys(v.entries).map((k) => `${key(k)} = ${inline(unbox(v.entries.get(k)))}`);
    return `{${pairs.join(', ')}}`;
  }
  throw new FunctionError(`toml: cannot encode ${typeName(v)}`);
}

function tomlFloat(n: number): string {
  const text = formatFloat(n, 'f', -1);
  return /^-?\d+$/.test(text) ? `${text}.0` : text.toLowerCase();
}

function quoted(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '\b': '\\b',
    '\t': '\\t',
    '\n': '\\n',
    '\f': '\\f',
    '\r': '\\r',
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML escapes them
  return `"${text.replace(/["\\\0-\x1f\x7f]/g, (c) => {
    if (c === '"' || c === '\\') return `\\${c}`;
    return named[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  })}"`;
}
