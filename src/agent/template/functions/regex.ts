import { FunctionError, fromUtf8, toUtf8 } from '../values.ts';

/**
 * Go's RE2 syntax on JavaScript's engine: inline flags, `(?P<name>…)`, `\A`, `\z`, `\pN`, POSIX classes are translated;
 * look-around and back-references, which RE2 refuses, are refused.
 * @throws FunctionError with Go's `error parsing regexp: …`
 */
export function compileRegex(pattern: string): RegExp {
  const text = toUtf8(pattern);
  const refused = /\(\?(?:<?[=!])|\\[1-9]/.exec(text.replace(/\\\\/g, ''));
  if (refused !== null) {
    const reason = refused[0].startsWith('\\')
      ? 'invalid escape sequence'
      : 'invalid or unsupported Perl syntax';
    throw new FunctionError(`error parsing regexp: ${reason}: \`${refused[0]}\``);
  }
  const flags = /^\(\?([imsU]+)\)/.exec(text);
  const body = translate(flags === null ? text : text.slice(flags[0].length));
  const js = [...(flags?.[1] ?? '')].filter((f) => f !== 'U').join('');
  try {
    return new RegExp(body, `gu${js}`);
  } catch {
    try {
      return new RegExp(body, `g${js}`); // Go takes escapes such as `\-` that the unicode mode refuses
    } catch {
      throw new FunctionError(`error parsing regexp: ${reasonOf(text)}: \`${text}\``);
    }
  }
}

const posix: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

function translate(pattern: string): string {
  return pattern
    .replace(/\[:(\w+):\]/g, (all, name: string) => posix[name] ?? all)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\\([pP])([A-Z])(?!\w)/g, '\\$1{$2}');
}

function reasonOf(pattern: string): string {
  if (/^[*+?]/.test(pattern)) return 'missing argument to repetition operator';
  if (/\[[^\]]*$/.test(pattern)) return 'missing closing ]';
  if ((pattern.match(/\(/g)?.length ?? 0) > (pattern.match(/\)/g)?.length ?? 0)) return 'missing closing )';
  return 'unexpected )';
}

export function regexMatch(pattern: string, text: string): boolean {
  return compileRegex(pattern).test(toUtf8(text));
}

/** regexp.ReplaceAllString: `$1`, `${1}`, `${name}`, `$$`. `$1x` is the group called `1x`, as in Go. */
export function regexReplaceAll(pattern: string, replacement: string, text: string): string {
  const template = toUtf8(replacement);
  const regex = compileRegex(pattern);
  const replaced = toUtf8(text).replace(regex, (...match: unknown[]) => {
    const last = match.at(-1);
    const named: Record<string, unknown> = typeof last === 'object' && last !== null ? { ...last } : {};
    return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (all, braced?: string, bare?: string) => {
      if (all === '$$') return '$';
      const name = braced ?? bare ?? '';
      const group = /^\d+$/.test(name) ? match[Number(name)] : named[name];
      return typeof group === 'string' ? group : '';
    });
  });
  return fromUtf8(replaced);
}
