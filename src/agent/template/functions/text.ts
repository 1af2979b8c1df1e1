import { createHash, createHmac } from 'node:crypto';
import { runeAt } from '../runes.ts';
import { kindOf, typeName } from '../types.ts';
import {
  FunctionError,
  fromUtf8,
  GoMap,
  GoSlice,
  type GoValue,
  integerOf,
  JsonNumber,
  toUtf8,
  unbox,
} from '../values.ts';
import { define, type FunctionTable } from './define.ts';
import { regexMatch, regexReplaceAll } from './regex.ts';

const s = 'string';
const any = 'interface {}';
const list = '[]interface {}';
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
/** White space as UTF-8 bytes: ASCII, NEL, NBSP, ogham, U+2000…, U+3000. */
const goSpace =
  '[\\t\\n\\v\\f\\r ]|\\xc2[\\x85\\xa0]|\\xe1\\x9a\\x80|\\xe2\\x80[\\x80-\\x8a\\xa8\\xa9\\xaf]|\\xe2\\x81\\x9f|\\xe3\\x80\\x80';

/** consul-template's text functions, over binary strings. */
export const textFunctions: FunctionTable = {
  join: define([s, '[]string'], s, (a) => a.items(1).join(a.text(0))),
  split: define([s, s], '[]string', (a) => new GoSlice('[]string', split(a.text(0), trimSpace(a.text(1))))),
  splitToMap: define([s, s, s], 'map[string]string', (a) => splitToMap(a.text(0), a.text(1), a.text(2))),
  trim: define([s, s], s, (a) => trim(a.text(0), a.text(1))),
  trimPrefix: define([s, s], s, (a) =>
    a.text(1).startsWith(a.text(0)) ? a.text(1).slice(a.text(0).length) : a.text(1),
  ),
  trimSuffix: define([s, s], s, (a) =>
    a.text(0) !== '' && a.text(1).endsWith(a.text(0)) ? a.text(1).slice(0, -a.text(0).length) : a.text(1),
  ),
  trimSpace: define([s], s, (a) => trimSpace(a.text(0))),
  toLower: define([s], s, (a) => eachRune(a.text(0), (c) => c.toLowerCase())),
  toUpper: define([s], s, (a) => eachRune(a.text(0), (c) => c.toUpperCase())),
  toTitle: define([s], s, (a) => fromUtf8(title(toUtf8(a.text(0))))),
  indent: define(['int', s], s, (a) => indent(a.int(0), a.text(1))),
  replaceAll: define([s, s, s], s, (a) => replaceAll(a.text(0), a.text(1), a.text(2))),
  regexMatch: define([s, s], 'bool', (a) => regexMatch(a.text(0), a.text(1))),
  regexReplaceAll: define([s, s, s], s, (a) => regexReplaceAll(a.text(0), a.text(1), a.text(2))),
  contains: define([any, any], 'bool', (a) => contains(a.value(1), a.value(0))),
  in: define([any, any], 'bool', (a) => contains(a.value(0), a.value(1))),
  containsAll: define([list, any], 'bool', (a) => a.items(0).every((v) => contains(a.value(1), unbox(v)))),
  containsAny: define([list, any], 'bool', (a) => a.items(0).some((v) => contains(a.value(1), unbox(v)))),
  containsNone: define([list, any], 'bool', (a) => !a.items(0).some((v) => contains(a.value(1), unbox(v)))),
  containsNotAll: define(
    [list, any],
    'bool',
    (a) => !a.items(0).every((v) => contains(a.value(1), unbox(v))),
  ),
  sha256Hex: define([s], s, (a) =>
    createHash('sha256')
      .update(bytes(a.text(0)))
      .digest('hex'),
  ),
  md5sum: define([s], s, (a) =>
    createHash('md5')
      .update(bytes(a.text(0)))
      .digest('hex'),
  ),
  hmacSHA256Hex: define([s, s], s, (a) =>
    createHmac('sha256', bytes(a.text(1)))
      .update(bytes(a.text(0)))
      .digest('hex'),
  ),
};

/** Rune by rune, as Go maps case: `ß` has no single upper-case rune and stays. */
function eachRune(text: string, change: (rune: string) => string): string {
  const changed = [...toUtf8(text)].map((c) => {
    const next = change(c);
    return [...next].length === 1 ? next : c;
  });
  return fromUtf8(changed.join(''));
}

function replaceAll(from: string, to: string, text: string): string {
  return from === '' ? ['', ...split('', text), ''].join(to) : text.split(from).join(to);
}

function split(separator: string, text: string): string[] {
  if (text === '') return [];
  if (separator !== '') return text.split(separator);
  const runes: string[] = [];
  for (let i = 0; i < text.length; ) {
    const { width } = runeAt(text, i);
    runes.push(text.slice(i, i + width));
    i += width;
  }
  return runes;
}

function splitToMap(between: string, within: string, text: string): GoMap {
  const entries = new Map<string, GoValue>();
  for (const part of split(between, trimSpace(text))) {
    const at = part.indexOf(within);
    if (at !== -1) entries.set(part.slice(0, at), part.slice(at + within.length));
  }
  return new GoMap('map[string]string', entries);
}

export function trimSpace(text: string): string {
  return text.replace(new RegExp(`^(?:${goSpace})+`), '').replace(new RegExp(`(?:${goSpace})+$`), '');
}

function trim(cutset: string, text: string): string {
  const cut = new Set(toUtf8(cutset));
  const runes = [...toUtf8(text)];
  let [from, to] = [0, runes.length];
  while (from < to && cut.has(runes[from] ?? '')) from++;
  while (to > from && cut.has(runes[to - 1] ?? '')) to--;
  return fromUtf8(runes.slice(from, to).join(''));
}

function title(text: string): string {
  return text.replace(/[\p{L}\p{N}\p{M}'’_]+/gu, (word) =>
    word.replace(/\p{L}/u, (letter) => letter.toUpperCase()),
  );
}

function indent(spaces: bigint, text: string): string {
  if (spaces < 0n) throw new FunctionError('indent value must be a positive integer');
  const pad = ' '.repeat(Number(spaces));
  return text.replace(/^(?=[^\n])/gm, pad).replace(/\r(?=[^\n])/g, (c) => c);
}

/** `in`: is the value in the list, or the text in the text? Types have to agree. */
function contains(container: GoValue, value: GoValue): boolean {
  if (container instanceof GoSlice) return container.items.some((item) => sameValue(unbox(item), value));
  if (kindOf(container) !== 'string' || kindOf(value) !== 'string') return false;
  if (typeName(container) !== typeName(value)) return false;
  return textOf(container).includes(textOf(value));
}

function textOf(v: GoValue): string {
  return v instanceof JsonNumber ? v.text : typeof v === 'string' ? v : '';
}

function sameValue(a: GoValue, b: GoValue): boolean {
  const [ka, kb] = [kindOf(a), kindOf(b)];
  if (ka !== kb) return false;
  if (ka === 'int') return integerOf(a) === integerOf(b);
  if (ka === 'float') return a === b;
  return ka === 'string' && typeName(a) === typeName(b) && textOf(a) === textOf(b);
}
