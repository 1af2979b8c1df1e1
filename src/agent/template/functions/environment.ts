import { FunctionError, fromUtf8 } from '../values.ts';
import { define, type FunctionTable } from './define.ts';

const s = 'string';
export type Environment = Readonly<Record<string, string | undefined>>;

/** Functions that see the process's environment and its clock. */
export function environmentFunctions(env: Environment, now: () => number): FunctionTable {
  const value = (name: string): string | undefined => {
    const v = env[name];
    return v === undefined ? undefined : fromUtf8(v);
  };
  return {
    env: define([s], s, (a) => value(a.text(0)) ?? ''),
    envOrDefault: define([s, s], s, (a) => value(a.text(0)) ?? a.text(1)),
    mustEnv: define([s], s, (a) => {
      const v = value(a.text(0)) ?? '';
      if (v === '') throw new FunctionError(`required environment variable ${a.text(0)} is empty`);
      return v;
    }),
    timestamp: define([`...${s}`], s, (a) => {
      if (a.length > 1)
        throw new FunctionError(`timestamp: wrong number of arguments, expected 0 or 1, but got ${a.length}`);
      if (a.length === 1 && a.text(0) === 'unix') return String(Math.floor(now() / 1000));
      return formatTime(now(), a.length === 0 ? '2006-01-02T15:04:05Z07:00' : a.text(0));
    }),
  };
}

const monthNames =
  'January February March April May June July August September October November December'.split(' ');
const dayNames = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** Go's time layout, in UTC. */
export function formatTime(ms: number, layout: string): string {
  const d = new Date(ms);
  const pad = (n: number, width = 2, fill = '0'): string => String(n).padStart(width, fill);
  const hour12 = d.getUTCHours() % 12 === 0 ? 12 : d.getUTCHours() % 12;
  const month = monthNames[d.getUTCMonth()] ?? '';
  const day = dayNames[d.getUTCDay()] ?? '';
  const values: Readonly<Record<string, string>> = {
    January: month,
    Jan: month.slice(0, 3),
    Monday: day,
    Mon: day.slice(0, 3),
    '2006': pad(d.getUTCFullYear(), 4),
    '06': pad(d.getUTCFullYear() % 100),
    '01': pad(d.getUTCMonth() + 1),
    '02': pad(d.getUTCDate()),
    _2: pad(d.getUTCDate(), 2, ' '),
    '15': pad(d.getUTCHours()),
    '03': pad(hour12),
    '04': pad(d.getUTCMinutes()),
    '05': pad(d.getUTCSeconds()),
    PM: d.getUTCHours() < 12 ? 'AM' : 'PM',
    pm: d.getUTCHours() < 12 ? 'am' : 'pm',
    MST: 'UTC',
    'Z07:00': 'Z',
    Z0700: 'Z',
    '-07:00': '+00:00',
    '-0700': '+0000',
    '-07': '+00',
    '1': String(d.getUTCMonth() + 1),
    '2': String(d.getUTCDate()),
    '3': String(hour12),
    '4': String(d.getUTCMinutes()),
    '5': String(d.getUTCSeconds()),
  };
  return layout.replace(
    /January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|03|04|05|06|15|_2|PM|pm|1|2|3|4|5/g,
    (part) => values[part] ?? fraction(ms, part),
  );
}

function fraction(ms: number, part: string): string {
  const digits = String(ms % 1000)
    .padStart(3, '0')
    .padEnd(part.length - 1, '0')
    .slice(0, part.length - 1);
  if (part[1] === '0') return (part[0] ?? '.') + digits;
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === '' ? '' : `${part[0] ?? '.'}${trimmed}`;
}
