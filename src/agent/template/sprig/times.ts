import { goDuration, parseDuration } from '../../../lib/duration.ts';
import { define, type FunctionTable } from '../functions/define.ts';
import { formatTime } from '../functions/environment.ts';
import { quote } from '../quote.ts';
import { FunctionError, type GoFunction, GoStruct, type GoValue, integerOf } from '../values.ts';

const any = 'interface {}';
const time = 'time.Time';
/** The instant of a time value, in milliseconds; fractions of a millisecond are not kept. */
const instants = new WeakMap<GoStruct, number>();

/** Those of sprig's functions for dates that do not say what time it is, and `ago`; everything is UTC. */
export function timeFunctions(now: () => number): FunctionTable {
  return {
    ago: define([any], 'string', (a) =>
      goDuration(Math.round((now() - instantOf(a.value(0), now)) / 1000) * 1000),
    ),
    duration: define([any], 'string', (a) => goDuration(seconds(a.value(0)) * 1000)),
    durationRound: define([any], 'string', (a) => rounded(lengthOf(a.value(0), now))),
    toDate: define(['string', 'string'], time, (a) => timeValue(parsedOr(a.text(0), a.text(1)))),
    mustToDate: define(['string', 'string'], time, (a) => timeValue(parseTime(a.text(0), a.text(1)))),
    mustDateModify: define(['string', time], time, (a) => moved(a.text(0), a.value(1))),
    must_date_modify: define(['string', time], time, (a) => moved(a.text(0), a.value(1))),
    unixEpoch: define([time], 'string', (a) => String(Math.floor(instantOf(a.value(0), now) / 1000))),
  };
}

/** Go's zero time, 1 January of the year 1. */
const zeroTime = -62_135_596_800_000;

function timeValue(ms: number): GoStruct {
  const layout = (l: string): string => formatTime(ms, l);
  const number = (l: string): GoFunction => define([], 'int', () => BigInt(layout(l)));
  const value = new GoStruct(
    time,
    new Map(),
    new Map<string, GoFunction>([
      ['Unix', define([], 'int64', () => BigInt(Math.floor(ms / 1000)))],
      ['Format', define(['string'], 'string', (a) => layout(a.text(0)))],
      ['Year', number('2006')],
      ['Month', define([], 'string', () => layout('January'))],
      ['Day', number('2')],
      ['Hour', number('15')],
      ['Minute', number('4')],
      ['Second', number('5')],
      ['Weekday', define([], 'string', () => layout('Monday'))],
      ['String', define([], 'string', () => layout('2006-01-02 15:04:05.999999999 -0700 MST'))],
    ]),
  );
  instants.set(value, ms);
  return value;
}

function instantOf(v: GoValue, now: () => number): number {
  if (v instanceof GoStruct) return instants.get(v) ?? zeroTime;
  const whole = integerOf(v);
  return whole === undefined ? now() : Number(whole) * 1000;
}

function seconds(v: GoValue): number {
  if (typeof v === 'string') return /^[+-]?\d+$/.test(v) ? Number(v) : 0;
  return typeof v === 'bigint' ? 0 : Number(integerOf(v) ?? 0n); // Go asks for an int64, and an int is none
}

function lengthOf(v: GoValue, now: () => number): number {
  if (v instanceof GoStruct) return now() - instantOf(v, now);
  if (typeof v === 'bigint') return 0;
  if (typeof v !== 'string') return Number(integerOf(v) ?? 0n) / 1e6;
  return durationOf(v) ?? 0;
}

/** Milliseconds of a Go duration, which has no days and no bare numbers. */
function durationOf(text: string): number | undefined {
  if (!/^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|[smh]))+)$/.test(text)) return undefined;
  return parseDuration(text);
}

function rounded(ms: number): string {
  const size = Math.abs(ms);
  const units = [
    ['y', 365 * 86_400_000],
    ['mo', 30 * 86_400_000],
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  const unit = units.find(([, length]) => size > length);
  return unit === undefined ? '0s' : `${Math.floor(size / unit[1])}${unit[0]}`;
}

function moved(by: string, date: GoValue): GoStruct {
  const length = durationOf(by);
  if (length === undefined) throw new FunctionError(`time: invalid duration ${quote(by)}`);
  return timeValue(instantOf(date, () => zeroTime) + length);
}

function parsedOr(layout: string, text: string): number {
  try {
    return parseTime(layout, text);
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return zeroTime;
  }
}

const months = 'january february march april may june july august september october november december'.split(
  ' ',
);
const days = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday';

/** What a word of a layout stands for, as a regular expression, and which field it is. */
const words: Readonly<Record<string, readonly [field: string, pattern: string]>> = {
  '2006': ['year', '\\d{4}'],
  '06': ['shortYear', '\\d{2}'],
  January: ['month', '[A-Za-z]{3,9}'],
  Jan: ['month', '[A-Za-z]{3}'],
  '01': ['month', '\\d{2}'],
  '1': ['month', '\\d{1,2}'],
  Monday: ['', `(?:${days})`],
  Mon: ['', '[A-Z][a-z]{2}'],
  '02': ['day', '\\d{2}'],
  _2: ['day', ' ?\\d{1,2}'],
  '2': ['day', '\\d{1,2}'],
  '15': ['hour', '\\d{2}'],
  '03': ['hour', '\\d{2}'],
  '3': ['hour', '\\d{1,2}'],
  '04': ['minute', '\\d{2}'],
  '4': ['minute', '\\d{1,2}'],
  '05': ['second', '\\d{2}(?:[.,]\\d+)?'],
  '5': ['second', '\\d{1,2}(?:[.,]\\d+)?'],
  PM: ['half', '[AP]M'],
  pm: ['half', '[ap]m'],
  MST: ['', '[A-Z]{3,5}'],
  'Z07:00': ['zone', '(?:Z|[+-]\\d\\d:\\d\\d)'],
  Z0700: ['zone', '(?:Z|[+-]\\d{4})'],
  '-07:00': ['zone', '[+-]\\d\\d:\\d\\d'],
  '-0700': ['zone', '[+-]\\d{4}'],
  '-07': ['zone', '[+-]\\d\\d'],
};
const word =
  /2006|January|Jan|Monday|Mon|MST|Z07:00|Z0700|-07:00|-0700|-07|01|02|03|04|05|06|15|_2|PM|pm|1|2|3|4|5/g;

/** time.Parse. @throws FunctionError `parsing time "x" as "2006": …` */
export function parseTime(layout: string, text: string): number {
  const fields: string[] = [];
  let pattern = '';
  let last = 0;
  for (const match of layout.matchAll(word)) {
    const [field, own] = words[match[0]] ?? ['', ''];
    fields.push(field);
    pattern += `${escaped(layout.slice(last, match.index))}(${own})`;
    last = match.index + match[0].length;
  }
  const found = new RegExp(`^${pattern}${escaped(layout.slice(last))}$`).exec(text);
  if (found === null) throw unparsed(layout, text);
  const values = new Map(fields.map((field, i) => [field, (found[i + 1] ?? '').trim()]));
  return instant(values, text);
}

/** Names the first word of the layout that the text does not go on with. */
function unparsed(layout: string, text: string): FunctionError {
  const what = `parsing time ${quote(text)} as ${quote(layout)}: `;
  let pattern = '^';
  let last = 0;
  let rest = text;
  for (const match of layout.matchAll(word)) {
    pattern += escaped(layout.slice(last, match.index));
    rest = text.slice(new RegExp(pattern).exec(text)?.[0].length ?? text.length);
    pattern += words[match[0]]?.[1] ?? '';
    if (!new RegExp(pattern).test(text))
      return new FunctionError(`${what}cannot parse ${quote(rest)} as ${quote(match[0])}`);
    last = match.index + match[0].length;
  }
  rest = text.slice(new RegExp(pattern).exec(text)?.[0].length ?? 0);
  return new FunctionError(`parsing time ${quote(text)}: extra text: ${quote(rest)}`);
}

function escaped(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$/-]/g, '\\$&');
}

function instant(values: ReadonlyMap<string, string>, text: string): number {
  const number = (field: string, otherwise: number): number => Number(values.get(field) ?? otherwise);
  const short = values.get('shortYear');
  const year = short === undefined ? number('year', 0) : Number(short) + (Number(short) >= 69 ? 1900 : 2000);
  const name = values.get('month') ?? '1';
  const month = /^\d/.test(name)
    ? Number(name)
    : months.findIndex((m) => m.startsWith(name.toLowerCase())) + 1;
  const half = values.get('half')?.toUpperCase();
  const hour = half === undefined ? number('hour', 0) : (number('hour', 0) % 12) + (half === 'PM' ? 12 : 0);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, number('day', 1));
  if (month < 1 || month > 12) throw new FunctionError(`parsing time ${quote(text)}: month out of range`);
  if (date.getUTCDate() !== number('day', 1))
    throw new FunctionError(`parsing time ${quote(text)}: day out of range`);
  const seconds = Number((values.get('second') ?? '0').replace(',', '.'));
  for (const [what, n, most] of [
    ['hour', hour, 24],
    ['minute', number('minute', 0), 60],
    ['second', seconds, 60],
  ] as const)
    if (n >= most) throw new FunctionError(`parsing time ${quote(text)}: ${what} out of range`);
  return (
    date.getTime() +
    hour * 3_600_000 +
    number('minute', 0) * 60_000 +
    seconds * 1000 -
    offset(values.get('zone'))
  );
}

function offset(zone: string | undefined): number {
  const match = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? '');
  if (match === null) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0)) * 60_000;
}
