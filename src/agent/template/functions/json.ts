import { formatFloat } from '../float-format.ts';
import { runeAt } from '../runes.ts';
import { typeName } from '../types.ts';
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
  stringMap,
  toUtf8,
  unbox,
} from '../values.ts';
import { jsonSyntaxError } from './json-error.ts';

export interface JsonStyle {
  readonly escapeHtml: boolean;
  /** Spaces per level; 0 for one line. */
  readonly indent: number;
}

/** encoding/json.Marshal: keys sorted by bytes, `<>&` escaped unless told otherwise, broken UTF-8 replaced. */
export function toJson(v: GoValue, style: JsonStyle, level = 0): string {
  const inner = unbox(v);
  if (inner === undefined || inner instanceof NilPointer) return 'null';
  if (typeof inner === 'string') return jsonString(inner, style.escapeHtml);
  if (typeof inner === 'boolean' || typeof inner === 'bigint') return String(inner);
  if (typeof inner === 'number') return jsonFloat(inner);
  if (inner instanceof JsonNumber) return inner.text === '' ? '0' : inner.text;
  if (inner instanceof Sized) return String(inner.value);
  if (inner instanceof GoSlice) {
    const items = inner.items.map((item) => toJson(item, style, level + 1));
    return wrapped('[', ']', items, style, level);
  }
  if (inner instanceof GoMap || inner instanceof GoStruct) return jsonObject(inner, style, level);
  throw new FunctionError(`json: unsupported type: ${typeName(inner)}`);
}

function jsonObject(v: GoMap | GoStruct, style: JsonStyle, level: number): string {
  if (v instanceof GoMap && v.type.startsWith('map[interface'))
    throw new FunctionError(`json: unsupported type: ${v.type}`);
  const colon = style.indent > 0 ? ': ' : ':';
  const [keys, values] =
    v instanceof GoMap ? [sortedKeys(v.entries), v.entries] : [[...v.fields.keys()], v.fields];
  const pairs = keys.map(
    (k) => jsonString(k, style.escapeHtml) + colon + toJson(values.get(k), style, level + 1),
  );
  return wrapped('{', '}', pairs, style, level);
}

function wrapped(
  open: string,
  close: string,
  items: readonly string[],
  style: JsonStyle,
  level: number,
): string {
  if (items.length === 0 || style.indent === 0) return open + items.join(',') + close;
  const pad = `\n${' '.repeat(style.indent * (level + 1))}`;
  return `${open}${pad}${items.join(`,${pad}`)}\n${' '.repeat(style.indent * level)}${close}`;
}

function jsonFloat(n: number): string {
  if (!Number.isFinite(n)) throw new FunctionError(`json: unsupported value: ${formatFloat(n, 'g', -1)}`);
  const size = Math.abs(n);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) return formatFloat(n, 'e', -1).replace(/e-0(\d)$/, 'e-$1');
  return formatFloat(n, 'f', -1);
}

const escapes: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

function jsonString(text: string, escapeHtml: boolean): string {
  let out = '"';
  for (let i = 0; i < text.length; ) {
    const { code, width } = runeAt(text, i);
    const isHtml = escapeHtml && (code === 60 || code === 62 || code === 38);
    if (code === 0xfffd && width === 1) out += '\\ufffd';
    else if (escapes[code] !== undefined) out += escapes[code];
    else if (code < 0x20 || isHtml || code === 0x2028 || code === 0x2029)
      out += `\\u${code.toString(16).padStart(4, '0')}`;
    else out += text.slice(i, i + width);
    i += width;
  }
  return `${out}"`;
}

/** Marks number literals before JSON.parse would round them. */
const numberMark = '\u0001n:';

/**
 * JSON text to Go values with every number as the literal it was written as (Vault's secrets), or as float64 (parseJSON).
 * @throws FunctionError
 */
export function fromJson(json: string, numbers: 'literal' | 'float64'): GoValue {
  try {
    if (numbers === 'float64') return toGo(JSON.parse(toUtf8(json)) as unknown);
    return toGo(JSON.parse(markNumbers(toUtf8(json))) as unknown);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new FunctionError(jsonSyntaxError(json));
  }
}

/** Strings are skipped whole, so only real number literals are quoted and marked. */
function markNumbers(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gs, (token) =>
    token.startsWith('"') ? token : `"\\u0001n:${token}"`,
  );
}

/** A parsed JSON value (or any plain data) as Go values. */
export function toGo(v: unknown): GoValue {
  if (v === null || v === undefined) return undefined;
  if (typeof v === 'string')
    return v.startsWith(numberMark) ? new JsonNumber(v.slice(numberMark.length)) : fromUtf8(v);
  if (typeof v === 'number' || typeof v === 'boolean' || typeof v === 'bigint') return v;
  if (Array.isArray(v)) return new GoSlice('[]interface {}', v.map(toGo));
  return stringMap(Object.entries(v as object).map(([k, value]) => [fromUtf8(k), toGo(value)] as const));
}
