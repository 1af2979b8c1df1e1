import { basename } from 'node:path/posix';
import { define, type FunctionTable } from '../functions/define.ts';
import { textFunctions } from '../functions/text.ts';
import { quote } from '../quote.ts';
import { FunctionError, fromUtf8, type GoFunction, GoMap, type GoValue, toUtf8 } from '../values.ts';
import { strval, texts } from './cast.ts';
import { connected, pascalCase } from './word-case.ts';
import { wrapped } from './wrap.ts';

const s = 'string';
const any = 'interface {}';
const onText = (change: (text: string) => string): GoFunction =>
  define([s], s, (a) => fromUtf8(change(toUtf8(a.text(0)))));
const same = (name: string): GoFunction => textFunctions[name] as GoFunction;

/** sprig's texts; positions and lengths count bytes, as in Go. */
export const stringFunctions: FunctionTable = {
  hello: define([], s, () => 'Hello!'),
  trim: same('trimSpace'),
  upper: same('toUpper'),
  lower: same('toLower'),
  title: same('toTitle'),
  trimSuffix: same('trimSuffix'),
  trimPrefix: same('trimPrefix'),
  trimall: same('trim'),
  trimAll: same('trim'),
  untitle: onText((t) => t.replace(/(?<!\S)\S/gu, (c) => c.toLowerCase())),
  swapcase: onText((t) =>
    t.replace(/\p{L}/gu, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())),
  ),
  initials: onText((t) => (t.match(/(?<!\S)\S/gu) ?? []).join('')),
  nospace: onText((t) => t.replace(/\s/gu, '')),
  snakecase: onText((t) => connected(t, '_')),
  kebabcase: onText((t) => connected(t, '-')),
  camelcase: onText(pascalCase),
  abbrev: define(['int', s], s, (a) => abbreviated(a.text(1), Number(a.int(0)))),
  abbrevboth: define(['int', 'int', s], s, (a) => bothEnds(a.text(2), Number(a.int(0)), Number(a.int(1)))),
  trunc: define(['int', s], s, (a) => trunc(Number(a.int(0)), a.text(1))),
  substr: define(['int', 'int', s], s, (a) => substr(Number(a.int(0)), Number(a.int(1)), a.text(2))),
  repeat: define(['int', s], s, (a) => repeat(Number(a.int(0)), a.text(1))),
  wrap: define(['int', s], s, (a) => wrapped(a.text(1), Number(a.int(0)), '\n', false)),
  wrapWith: define(['int', s, s], s, (a) => wrapped(a.text(2), Number(a.int(0)), a.text(1) || '\n', true)),
  contains: define([s, s], 'bool', (a) => a.text(1).includes(a.text(0))),
  hasPrefix: define([s, s], 'bool', (a) => a.text(1).startsWith(a.text(0))),
  hasSuffix: define([s, s], 'bool', (a) => a.text(1).endsWith(a.text(0))),
  replace: define([s, s, s], s, (a) => same('replaceAll').call(a)),
  plural: define([s, s, 'int'], s, (a) => (a.int(2) === 1n ? a.text(0) : a.text(1))),
  indent: define(['int', s], s, (a) => indent(Number(a.int(0)), a.text(1))),
  nindent: define(['int', s], s, (a) => `\n${indent(Number(a.int(0)), a.text(1))}`),
  quote: define([`...${any}`], s, (a) =>
    known(a.raw.map((_, i) => a.value(i)))
      .map((v) => quote(strval(v)))
      .join(' '),
  ),
  squote: define([`...${any}`], s, (a) =>
    known(a.raw.map((_, i) => a.value(i)))
      .map((v) => `'${strval(v)}'`)
      .join(' '),
  ),
  cat: define([`...${any}`], s, (a) =>
    known(a.raw.map((_, i) => a.value(i)))
      .map(strval)
      .join(' '),
  ),
  toString: define([any], s, (a) => strval(a.value(0))),
  split: define([s, s], 'map[string]string', (a) => numbered(splitN(a.text(0), a.text(1), -1))),
  splitn: define([s, 'int', s], 'map[string]string', (a) =>
    numbered(splitN(a.text(0), a.text(2), Number(a.int(1)))),
  ),
  splitList: define([s, s], '[]string', (a) => texts(splitN(a.text(0), a.text(1), -1))),
};

function known(values: readonly GoValue[]): GoValue[] {
  return values.filter((v) => v !== undefined);
}

function abbreviated(text: string, width: number): string {
  return width < 4 || text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}

/** Cuts what is left of `offset` and what is beyond `width`. */
function bothEnds(text: string, offset: number, width: number): string {
  if (width < 4 || (offset > 0 && width < 7) || text.length <= width) return text;
  const room = width - 3;
  const from = Math.min(
    Math.min(offset, text.length),
    text.length - offset < room ? text.length - room : offset,
  );
  if (from <= 4) return `${text.slice(0, room)}...`;
  if (from + room < text.length) return `...${abbreviated(text.slice(from), room)}`;
  return `...${text.slice(text.length - room)}`;
}

function trunc(count: number, text: string): string {
  if (count < 0) return text.length + count > 0 ? text.slice(text.length + count) : text;
  return text.slice(0, count);
}

function substr(start: number, end: number, text: string): string {
  const out = (from: number, to: number): never => {
    const shown = to > text.length || to < 0 ? `:${to}] with length ${text.length}` : `${from}:${to}]`;
    throw new FunctionError(`runtime error: slice bounds out of range [${shown}`);
  };
  if (start < 0) return end > text.length || end < 0 ? out(0, end) : text.slice(0, end);
  const to = end < 0 || end > text.length ? text.length : end;
  return start > to ? out(start, to) : text.slice(start, to);
}

/** Of what a template repeats: more does not fit into any secret. */
const mostBytes = 64 * 1024 * 1024;

function repeat(count: number, text: string): string {
  if (count < 0) throw new FunctionError('strings: negative Repeat count');
  if (count * text.length > mostBytes) throw new FunctionError(`repeat: more than ${mostBytes} bytes`);
  return text.repeat(count);
}

function indent(spaces: number, text: string): string {
  const pad = repeat(spaces, ' ');
  return pad + text.replaceAll('\n', `\n${pad}`);
}

/** strings.SplitN: -1 for all parts. */
export function splitN(separator: string, text: string, n: number): string[] {
  if (n === 0) return [];
  const parts = separator === '' ? [...toUtf8(text)].map(fromUtf8) : text.split(separator);
  if (n < 0 || parts.length <= n) return parts;
  return [...parts.slice(0, n - 1), parts.slice(n - 1).join(separator)];
}

function numbered(parts: readonly string[]): GoMap {
  return new GoMap('map[string]string', new Map(parts.map((part, i) => [`_${i}`, part])));
}

/** `path` and, the same here, `filepath`. */
export function pathFunctions(): FunctionTable {
  const table = {
    base: define([s], s, (a) => (a.text(0) === '' ? '.' : basename(a.text(0)) || '/')),
    dir: define([s], s, (a) => clean(a.text(0).slice(0, a.text(0).lastIndexOf('/') + 1))),
    clean: define([s], s, (a) => clean(a.text(0))),
    ext: define([s], s, (a) => /\.[^./]*$/.exec(a.text(0))?.[0] ?? ''),
    isAbs: define([s], 'bool', (a) => a.text(0).startsWith('/')),
  };
  const os = Object.entries(table).map(([name, fn]) => [`os${name[0]?.toUpperCase()}${name.slice(1)}`, fn]);
  return { ...table, ...(Object.fromEntries(os) as FunctionTable) };
}

function clean(path: string): string {
  const rooted = path.startsWith('/');
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') out.push(part);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (!rooted) out.push('..');
  }
  return (rooted ? '/' : '') + out.join('/') || '.';
}
