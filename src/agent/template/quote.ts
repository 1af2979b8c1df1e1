import { isPrint, runeAt, runeBytes } from './runes.ts';

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
const escapeNames = new Map(Object.entries(simpleEscapes).map(([name, char]) => [char, name]));

/** Go's strconv.Unquote of a `"…"` or a back-quoted literal (binary string in and out), or undefined when it is malformed. */
export function unquote(literal: string): string | undefined {
  const quote = literal[0];
  const body = literal.slice(1, -1);
  if (quote === '`') return body.replaceAll('\r', '');
  let out = '';
  for (let i = 0; i < body.length; ) {
    const step = unquoteChar(body, i, '"');
    if (step === undefined) return undefined;
    out += step.isRune ? runeBytes(step.code) : String.fromCharCode(step.code);
    i += step.width;
  }
  return out;
}

export interface QuotedChar {
  readonly code: number;
  readonly width: number;
  /** False for `\xNN` and `\NNN`, which are single bytes. */
  readonly isRune: boolean;
}

/** One character or escape of a quoted literal, as strconv.UnquoteChar. */
export function unquoteChar(body: string, at: number, quote: '"' | "'"): QuotedChar | undefined {
  const c = body[at];
  if (c === quote || c === '\n' || c === undefined) return undefined;
  if (c !== '\\') {
    const { code, width } = runeAt(body, at);
    // A stray byte of broken UTF-8 stays that byte.
    return code === 0xfffd && width === 1
      ? { code: body.charCodeAt(at), width, isRune: false }
      : { code, width, isRune: true };
  }
  const e = body[at + 1];
  if (e === undefined) return undefined;
  if (e === quote) return { code: e.charCodeAt(0), width: 2, isRune: true };
  const simple = simpleEscapes[e];
  if (simple !== undefined) return { code: simple.charCodeAt(0), width: 2, isRune: true };
  return numericEscape(body.slice(at + 1));
}

function numericEscape(rest: string): QuotedChar | undefined {
  const octal = /^[0-7]{3}/.exec(rest);
  if (octal !== null) {
    const code = Number.parseInt(octal[0], 8);
    return code > 255 ? undefined : { code, width: 4, isRune: false };
  }
  const hex = /^(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(rest);
  if (hex === null) return undefined;
  const code = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? '', 16);
  const isRune = hex[1] === undefined;
  if (isRune && (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))) return undefined;
  return { code, width: hex[0].length + 1, isRune };
}

/** Go's strconv.Quote (`%q`) of a binary string; `limit` runes at most (`%.10q`). */
export function quote(bytes: string, limit = Number.POSITIVE_INFINITY, asciiOnly = false): string {
  let out = '"';
  let runes = 0;
  for (let i = 0; i < bytes.length && runes < limit; runes++) {
    const { code, width } = runeAt(bytes, i);
    out +=
      asciiOnly && code > 0x7f && !(code === 0xfffd && width === 1)
        ? unicodeEscape(code)
        : quotedRune(bytes, i, code, width);
    i += width;
  }
  return `${out}"`;
}

function quotedRune(bytes: string, i: number, code: number, width: number): string {
  if (code === 0xfffd && width === 1) return `\\x${bytes.charCodeAt(i).toString(16).padStart(2, '0')}`;
  if (code === 34) return '\\"';
  return escapedRune(code);
}

export function escapedRune(code: number): string {
  const name = code < 0x80 ? escapeNames.get(String.fromCharCode(code)) : undefined;
  if (name !== undefined) return `\\${name}`;
  if (isPrint(code)) return runeBytes(code);
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return unicodeEscape(code);
}

function unicodeEscape(code: number): string {
  const wide = code > 0xffff;
  return `\\${wide ? 'U' : 'u'}${code.toString(16).padStart(wide ? 8 : 4, '0')}`;
}
