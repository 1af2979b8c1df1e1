import { type Cursor, here, newLine } from './cursor.ts';
import { lexHeredoc } from './lex-heredoc.ts';
import { lexString } from './lex-string.ts';
import { HclError } from './tree.ts';

export type TokenKind = 'identifier' | 'string' | 'number' | '{' | '}' | '[' | ']' | ',' | '=' | ':' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Strings unquoted, heredocs unindented, the rest as written. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const punctuation = new Set(['{', '}', '[', ']', ',', '=', ':']);
const numberPattern = /-?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\p{L}\p{N}_])/uy;
const identifierPattern = /[\p{L}_][\p{L}\p{N}_.-]*/uy;

/** All tokens of `text`, the last one of kind `end`. @throws HclError */
export function lex(text: string, json = false): Token[] {
  const cursor: Cursor = { text, position: text.startsWith('\ufeff') ? 1 : 0, line: 1, lineStart: 0, json };
  const tokens: Token[] = [];
  for (;;) {
    skipBlank(cursor);
    const at = here(cursor);
    if (cursor.position >= text.length) return [...tokens, { kind: 'end', text: 'end of file', ...at }];
    tokens.push({ ...next(cursor), ...at });
  }
}

function next(cursor: Cursor): { kind: TokenKind; text: string } {
  const char = cursor.text.charAt(cursor.position);
  if (punctuation.has(char)) {
    cursor.position++;
    return { kind: char as TokenKind, text: char };
  }
  if (char === '"') return { kind: 'string', text: lexString(cursor) };
  if (char === '<' && cursor.text.charAt(cursor.position + 1) === '<') {
    return { kind: 'string', text: lexHeredoc(cursor) };
  }
  const number = take(cursor, numberPattern);
  if (number !== undefined) return { kind: 'number', text: number };
  const identifier = take(cursor, identifierPattern);
  if (identifier !== undefined) return { kind: 'identifier', text: identifier };
  throw new HclError(`unexpected character ${JSON.stringify(char)}`, here(cursor));
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.position;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.position += found.length;
  return found;
}

function skipBlank(cursor: Cursor): void {
  for (;;) {
    const char = cursor.text.charAt(cursor.position);
    if (char === '\n') newLine(cursor);
    else if (char === ' ' || char === '\t' || char === '\r') cursor.position++;
    else if (char === '#' || cursor.text.startsWith('//', cursor.position)) skipLine(cursor);
    else if (cursor.text.startsWith('/*', cursor.position)) skipBlockComment(cursor);
    else return;
  }
}

function skipLine(cursor: Cursor): void {
  const end = cursor.text.indexOf('\n', cursor.position);
  cursor.position = end === -1 ? cursor.text.length : end;
}

function skipBlockComment(cursor: Cursor): void {
  const end = cursor.text.indexOf('*/', cursor.position + 2);
  if (end === -1) throw new HclError('the comment is not closed', here(cursor));
  while (cursor.position < end) {
    if (cursor.text.charAt(cursor.position) === '\n') newLine(cursor);
    else cursor.position++;
  }
  cursor.position = end + 2;
}
