import { type Fields, isFields } from '../fields.ts';
import { coreMessages } from './core-messages.ts';
import { groupMessages } from './group-messages.ts';
import { WireError, wireFields } from './wire.ts';

/** How the bytes of a protobuf body begin: `k8s` and a zero, then a runtime.Unknown. */
const magic = Buffer.from('k8s\0');

interface FieldFacts {
  readonly name: string;
  readonly type: string;
  readonly repeated: boolean;
  readonly map: boolean;
  /** A zero value is a value, not an absence. */
  readonly keepZero: boolean;
}

const messages: Readonly<Record<string, string>> = { ...coreMessages, ...groupMessages };

const parsed = new Map<string, ReadonlyMap<number, FieldFacts>>();

function factsOf(message: string): ReadonlyMap<number, FieldFacts> | undefined {
  const known = parsed.get(message);
  const text = Object.hasOwn(messages, message) ? messages[message] : undefined;
  if (known !== undefined || text === undefined) return known;
  const facts = new Map<number, FieldFacts>();
  for (const part of text.split(' ')) {
    const match = /^(\d+)([=~])(\w*|\$\w+):(?:([rm]):)?(.+)$/.exec(part);
    if (match === null) continue;
    const [, number, zero, name = '', many, type = ''] = match;
    const field = { name, type, repeated: many === 'r', map: many === 'm', keepZero: zero === '=' };
    facts.set(Number(number), field);
  }
  parsed.set(message, facts);
  return facts;
}

/**
 * The JSON form of a protobuf body (`application/vnd.kubernetes.protobuf`), which client-go prefers for built-in kinds;
 * undefined for a kind that is not in the table.
 * @throws WireError
 */
export function decodeProtobuf(body: Uint8Array): Fields | undefined {
  if (!magic.equals(Buffer.from(body.subarray(0, 4)))) throw new WireError('the body has no k8s prefix');
  let raw: Uint8Array = new Uint8Array();
  let apiVersion = '';
  let kind = '';
  for (const { number, value } of wireFields(body.subarray(4))) {
    if (!(value instanceof Uint8Array)) continue;
    if (number === 2) raw = value;
    if (number !== 1) continue;
    for (const field of wireFields(value)) {
      if (field.number === 1) apiVersion = textOf(field.value);
      if (field.number === 2) kind = textOf(field.value);
    }
  }
  if (factsOf(kind) === undefined) return undefined;
  return { apiVersion, kind, ...decodeMessage(kind, raw) };
}

function decodeMessage(message: string, bytes: Uint8Array): Fields {
  const facts = factsOf(message);
  const result: [string, unknown][] = [];
  const lists = new Map<string, unknown[]>();
  for (const { number, value } of wireFields(bytes)) {
    const field = facts?.get(number);
    if (field === undefined) continue; // of a later release
    if (field.map || field.repeated) {
      const list = lists.get(field.name) ?? [];
      if (list.length === 0) result.push([field.name, list]);
      lists.set(field.name, list);
      list.push(field.map ? mapEntry(field.type, bytesOf(value)) : decodeValue(field.type, value));
      continue;
    }
    const decoded = decodeValue(field.type, value);
    if (field.name === '') {
      if (isFields(decoded)) result.push(...Object.entries(decoded));
    } else if (decoded !== undefined && (field.keepZero || !isZero(decoded)))
      result.push([field.name, decoded]);
  }
  const maps = new Set([...(facts?.values() ?? [])].filter((f) => f.map).map((f) => f.name));
  return Object.fromEntries(
    result.map(([name, value]) => [
      name,
      maps.has(name) ? Object.fromEntries(value as [string, unknown][]) : value,
    ]),
  );
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false;

function mapEntry(type: string, bytes: Uint8Array): [string, unknown] {
  let key = '';
  let value: unknown;
  for (const field of wireFields(bytes)) {
    if (field.number === 1) key = textOf(field.value);
    if (field.number === 2) value = decodeValue(type, field.value);
  }
  return [key, value ?? ''];
}

type Decoder = (value: bigint | Uint8Array) => unknown;

const decoders: Readonly<Record<string, Decoder>> = {
  s: textOf,
  i: (value) => Number(value),
  b: (value) => value === 1n,
  y: (value) => Buffer.from(bytesOf(value)).toString('base64'),
  f: (value) => Buffer.from(bytesOf(value)).readDoubleLE(0),
  t: (value) => timeOf(value, 0),
  u: (value) => timeOf(value, 6),
  q: (value) => textOf(firstField(value, 1) ?? new Uint8Array()),
  x: (value) =>
    firstField(value, 1) === 1n
      ? textOf(firstField(value, 3) ?? new Uint8Array())
      : Number(firstField(value, 2) ?? 0n),
  d: (value) => `${Number(firstField(value, 1) ?? 0n) / 1e9}s`,
  e: (value) => [...wireFields(bytesOf(value))].map((field) => textOf(field.value)),
  j: (value) => JSON.parse(textOf(firstField(value, 1) ?? new Uint8Array()) || 'null') as unknown,
};

function decodeValue(type: string, value: bigint | Uint8Array): unknown {
  const decoder = Object.hasOwn(decoders, type) ? decoders[type] : undefined;
  return decoder === undefined ? decodeMessage(type, bytesOf(value)) : decoder(value);
}

function firstField(value: bigint | Uint8Array, number: number): bigint | Uint8Array | undefined {
  for (const field of wireFields(bytesOf(value))) if (field.number === number) return field.value;
  return undefined;
}

function bytesOf(value: bigint | Uint8Array): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new WireError('a number where bytes belong');
}

function textOf(value: bigint | Uint8Array): string {
  return Buffer.from(bytesOf(value)).toString('utf8');
}

/** RFC 3339 with as many digits after the second; the zero time is no time. */
function timeOf(value: bigint | Uint8Array, digits: 0 | 6): string | undefined {
  const seconds = Number(firstField(value, 1) ?? 0n);
  if (bytesOf(value).length === 0 || !(Math.abs(seconds) < 8e12)) return undefined;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  if (digits === 0) return `${whole}Z`;
  const micros = Math.floor(Number(firstField(value, 2) ?? 0n) / 1000);
  return `${whole}.${String(micros).padStart(6, '0')}Z`;
}
