import { define, type FunctionTable } from '../functions/define.ts';
import { compileRegex, regexMatch, regexReplaceAll } from '../functions/regex.ts';
import { FunctionError, fromUtf8, type GoFunction, toUtf8 } from '../values.ts';
import { texts } from './cast.ts';

const s = 'string';

/** Under its own name, where a pattern that is none panics in Go, and under `must…`, where it is an error. */
function twin(name: string, fn: GoFunction): [string, GoFunction][] {
  const own = define(fn.params, fn.result, (a) => {
    try {
      return fn.call(a);
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      if (name === 'regexMatch') return false;
      throw new FunctionError(`regexp: Compile(${backQuoted(a.text(0))}): ${error.message}`);
    }
  });
  return [
    [name, own],
    [`must${name[0]?.toUpperCase()}${name.slice(1)}`, fn],
  ];
}

function backQuoted(pattern: string): string {
  return pattern.includes('`') ? JSON.stringify(pattern) : `\`${pattern}\``;
}

/** sprig's regular expressions: pattern first, then text. */
export const regexFunctions: FunctionTable = {
  ...Object.fromEntries([
    ...twin(
      'regexMatch',
      define([s, s], 'bool', (a) => regexMatch(a.text(0), a.text(1))),
    ),
    ...twin(
      'regexFind',
      define([s, s], s, (a) => findAll(a.text(0), a.text(1), 1)[0] ?? ''),
    ),
    ...twin(
      'regexFindAll',
      define([s, s, 'int'], '[]string', (a) => texts(findAll(a.text(0), a.text(1), Number(a.int(2))))),
    ),
    ...twin(
      'regexReplaceAll',
      define([s, s, s], s, (a) => regexReplaceAll(a.text(0), a.text(2), a.text(1))),
    ),
    ...twin(
      'regexReplaceAllLiteral',
      define([s, s, s], s, (a) =>
        fromUtf8(toUtf8(a.text(1)).replace(compileRegex(a.text(0)), () => toUtf8(a.text(2)))),
      ),
    ),
    ...twin(
      'regexSplit',
      define([s, s, 'int'], '[]string', (a) => texts(split(a.text(0), a.text(1), Number(a.int(2))))),
    ),
  ]),
  regexQuoteMeta: define([s], s, (a) => a.text(0).replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
};

function findAll(pattern: string, text: string, n: number): string[] {
  const all = [...toUtf8(text).matchAll(compileRegex(pattern))].map(([match]) => fromUtf8(match));
  return n < 0 ? all : all.slice(0, n);
}

/** regexp.Split: at most `n` parts, all of them when it is negative; an empty match at the start does not split. */
function split(pattern: string, text: string, n: number): string[] {
  if (n === 0) return [];
  const regex = compileRegex(pattern);
  if (pattern.length > 0 && text === '') return [''];
  const whole = toUtf8(text);
  const parts: string[] = [];
  let from = 0;
  let end = 0;
  for (const match of whole.matchAll(regex)) {
    if (n > 0 && parts.length === n - 1) break;
    end = match.index;
    if (match.index + match[0].length !== 0) parts.push(whole.slice(from, end));
    from = match.index + match[0].length;
  }
  if (end !== whole.length) parts.push(whole.slice(from));
  return parts.map(fromUtf8);
}
