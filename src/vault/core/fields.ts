import { parseDuration } from '../../lib/duration.ts';
import { isRecord } from '../../lib/records.ts';
import { refuse } from './refusal.ts';

export type Fields = Readonly<Record<string, unknown>>;

/**
 * How Vault's framework reads a field; `seconds` takes `1h`, `60` and 60, but nothing below zero, other than `signed-seconds`;
 * `time` becomes milliseconds.
 */
export type FieldType =
  | 'string'
  | 'int'
  | 'bool'
  | 'seconds'
  | 'signed-seconds'
  | 'time'
  | 'list'
  | 'ints'
  | 'texts'
  | 'map'
  | 'any';
export type Schema = Readonly<Record<string, FieldType>>;

/**
 * Converts what the schema names, leaves out what it does not. `null` counts as absent.
 * @throws Refusal 400 in the framework's words
 */
export function coerceFields(schema: Schema, data: Fields, prefix = 'Field validation failed: '): Fields {
  const fields: Record<string, unknown> = {};
  for (const name of Object.keys(schema)) {
    const value = Object.hasOwn(data, name) ? data[name] : undefined;
    if (value === undefined || value === null) continue;
    try {
      fields[name] = converters[schema[name] ?? 'any'](value);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw refuse(`${prefix}error converting input for field "${name}": ${reason}`, 400, 'bad-field');
    }
  }
  return fields;
}

const converters: Readonly<Record<FieldType, (value: unknown) => unknown>> = {
  any: (value) => value,
  string: toText,
  int: toInteger,
  bool: toBoolean,
  seconds: toDuration,
  'signed-seconds': toSeconds,
  time: toTime,
  list: toTexts,
  ints: toIntegers,
  texts: toTextMap,
  map: (value) => {
    if (isRecord(value)) return value;
    throw new Error(`'' expected type 'map[string]interface {}', got unconvertible type '${kindOf(value)}'`);
  },
};

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  throw new Error(`'' expected type 'string', got unconvertible type '${kindOf(value)}'`);
}

function toInteger(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value === '') return 0;
  if (typeof value === 'string' && /^[-+]?\d+$/.test(value)) return Number(value);
  throw new Error("'' cannot parse value as 'int': strconv.ParseInt: invalid syntax");
}

function toBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (value === '') return false;
  if (typeof value === 'string') {
    if (/^(1|t|true)$/i.test(value)) return true;
    if (/^(0|f|false)$/i.test(value)) return false;
  }
  throw new Error("'' cannot parse value as 'bool': strconv.ParseBool: invalid syntax");
}

/** Seconds of a number, a numeric text or a Go duration. */
export function toSeconds(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return Math.trunc(value);
  if (value === '') return 0;
  if (typeof value === 'string') {
    try {
      return Math.trunc(parseDuration(value) / 1000);
    } catch {
      throw new Error(`time: invalid duration ${JSON.stringify(value)}`);
    }
  }
  throw new Error('could not parse duration from input');
}

function toDuration(value: unknown): number {
  const seconds = toSeconds(value);
  if (seconds < 0) throw new Error(`cannot provide negative value '${seconds}'`);
  return seconds;
}

/** Milliseconds of an RFC 3339 text or of seconds since 1970; NaN for an empty text, which says nothing. */
export function toTime(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value)) return value * 1000;
  if (value === '') return Number.NaN;
  if (typeof value !== 'string') throw new Error('could not parse time from input');
  if (/^[-+]?\d+$/.test(value)) return Number(value) * 1000;
  const isTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value);
  const at = isTime ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) throw new Error('could not parse string as date and time');
  return at;
}

function toIntegers(value: unknown): number[] {
  const items = Array.isArray(value) ? value : toTexts(value);
  return items.map((item: unknown, i) => {
    try {
      return toInteger(item);
    } catch {
      const problem = `'[${i}]' cannot parse value as 'int': strconv.ParseInt: invalid syntax`;
      throw new Error(`decoding failed due to the following error(s):\n\n${problem}`);
    }
  });
}

function toTexts(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : String(toText(value)).split(',');
  return items.map((item) => toText(item).trim()).filter((item) => item !== '');
}

/** An object of texts, or `k=v` texts. */
function toTextMap(value: unknown): Record<string, string> {
  if (Array.isArray(value) || typeof value === 'string') {
    return Object.fromEntries(
      toTexts(value).map((pair) => {
        const sign = pair.indexOf('=');
        if (sign === -1) throw new Error(`invalid key pair ${JSON.stringify(pair)}`);
        return [pair.slice(0, sign), pair.slice(sign + 1)];
      }),
    );
  }
  if (typeof value !== 'object' || value === null) throw new Error(`expected a map, got '${kindOf(value)}'`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toText(item)]));
}

/** Go's name of a JSON value's type. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'json.Number';
}

/** A field that a schema has already made a text, a number and so on: the value, or `otherwise`. */
export const textOf = (fields: Fields, name: string, otherwise = ''): string =>
  typeof fields[name] === 'string' ? (fields[name] as string) : otherwise;
export const numberOf = (fields: Fields, name: string, otherwise = 0): number =>
  typeof fields[name] === 'number' ? (fields[name] as number) : otherwise;
export const booleanOf = (fields: Fields, name: string, otherwise = false): boolean =>
  typeof fields[name] === 'boolean' ? (fields[name] as boolean) : otherwise;
export const listOf = (fields: Fields, name: string): readonly string[] =>
  Array.isArray(fields[name]) ? (fields[name] as string[]) : [];
