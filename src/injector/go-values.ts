import { refusal } from './refusal.ts';

// Annotations are read by Go programs today: what they accept and the words of their refusals are an interface.

const truths = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falsehoods = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False', '']);

/** Go's strconv.ParseBool, where empty is false. */
export function parseGoBool(text: string): boolean {
  if (truths.has(text)) return true;
  if (falsehoods.has(text)) return false;
  throw refusal(`cannot parse '' as bool: strconv.ParseBool: parsing ${quote(text)}: invalid syntax`);
}

/** Go's strconv.ParseInt of base 10, where empty is 0. */
export function parseGoInt(text: string): number {
  if (text === '') return 0;
  return whole('ParseInt', text, /^[-+]?\d+$/, -(2n ** 63n), 2n ** 63n - 1n);
}

/** Go's strconv.ParseUint of base 10; empty is an error. */
export function parseGoUint(text: string): number {
  return whole('ParseUint', text, /^\d+$/, 0n, 2n ** 64n - 1n);
}

function whole(name: string, text: string, syntax: RegExp, least: bigint, most: bigint): number {
  if (!syntax.test(text)) throw refusal(`strconv.${name}: parsing ${quote(text)}: invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ''));
  if (value < least || value > most)
    throw refusal(`strconv.${name}: parsing ${quote(text)}: value out of range`);
  return Number(value);
}

const decimal = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** Go's strconv.ParseFloat without its hexadecimal form; empty is an error. */
export function parseGoFloat(text: string): number {
  const special = /^([-+]?)(?:inf|infinity)$/i.exec(text);
  if (special !== null) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^[-+]?nan$/i.test(text)) return Number.NaN;
  if (!decimal.test(text)) throw refusal(`strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`);
  const value = Number(text);
  if (!Number.isFinite(value))
    throw refusal(`strconv.ParseFloat: parsing ${quote(text)}: value out of range`);
  return value;
}

const durationUnits = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h']);

/** Refuses what Go's time.ParseDuration refuses, in its words. The text itself travels on unchanged. */
export function checkGoDuration(text: string): void {
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return;
  do {
    const [all, number = '', unit = ''] = /^([\d.]*)([^\d.]*)/.exec(rest) ?? [''];
    if (!/^(\d+\.?\d*|\.\d+)$/.test(number)) throw refusal(`time: invalid duration ${timeQuote(text)}`);
    if (unit === '') throw refusal(`time: missing unit in duration ${timeQuote(text)}`);
    if (!durationUnits.has(unit))
      throw refusal(`time: unknown unit ${timeQuote(unit)} in duration ${timeQuote(text)}`);
    rest = rest.slice(all.length);
  } while (rest !== '');
}

/** Package time quotes in its own way: every byte that is not printable ASCII as \\xNN. */
function timeQuote(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    if (byte < 0x20 || byte >= 0x80) return `\\x${byte.toString(16).padStart(2, '0')}`;
    const char = String.fromCharCode(byte);
    return char === '"' || char === '\\' ? `\\${char}` : char;
  });
  return `"${bytes.join('')}"`;
}

/** Go's %q for the texts that occur in annotations. */
export function quote(text: string): string {
  return JSON.stringify(text);
}
