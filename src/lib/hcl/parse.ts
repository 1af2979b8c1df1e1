import { lex, type Token, type TokenKind } from './lex.ts';
import { type HclEntry, HclError, type HclObject, type HclValue } from './tree.ts';

const maxDepth = 64;

/** Where the parser stands. `json` admits `null` and the colon. */
interface State {
  readonly tokens: readonly Token[];
  index: number;
  readonly json: boolean;
}

/**
 * Parses HCL 1, or JSON when the text starts with `{`; both give the same tree. Positions are kept for messages.
 * @throws HclError `bad-hcl` with line and column
 */
export function parseHcl(text: string): HclObject {
  const json = text.trimStart().startsWith('{');
  if (json) checkJson(text);
  const state: State = { tokens: lex(text, json), index: 0, json };
  if (json) {
    advance(state);
    return { entries: entriesUntil(state, '}', 1) };
  }
  return { entries: entriesUntil(state, 'end', 0) };
}

/** JSON.parse decides whether it is JSON at all; its own message has the reason, sometimes the position. */
function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = Number(/at position (\d+)/.exec(reason)?.[1] ?? 0);
    const before = text.slice(0, position).split('\n');
    throw new HclError(`not valid JSON: ${reason.replace(/ in JSON.*| is not valid JSON.*/s, '')}`, {
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
    });
  }
}

function entriesUntil(state: State, end: TokenKind, depth: number): HclEntry[] {
  const entries: HclEntry[] = [];
  while (peek(state).kind !== end) {
    entries.push(entry(state, depth));
    if (peek(state).kind === ',') advance(state);
  }
  advance(state);
  return entries;
}

function entry(state: State, depth: number): HclEntry {
  const key = advance(state);
  if (key.kind !== 'identifier' && key.kind !== 'string') {
    throw new HclError(`expected a key, found ${quoted(key)}`, key);
  }
  if (key.kind === 'identifier' && /^(true|false)$/.test(key.text)) {
    throw new HclError(`"${key.text}" is a value, no key`, key);
  }
  const labels: string[] = [];
  while (peek(state).kind === 'string' || peek(state).kind === 'identifier') labels.push(advance(state).text);
  const sign = peek(state);
  const position = { line: key.line, column: key.column };
  if (sign.kind === '{') return { key: key.text, labels, value: value(state, depth), ...position };
  if ((sign.kind !== '=' && !(state.json && sign.kind === ':')) || labels.length > 0) {
    throw new HclError(`expected "=" or "{" after ${quoted(key)}, found ${quoted(sign)}`, sign);
  }
  advance(state);
  return { key: key.text, labels, value: value(state, depth), ...position };
}

function value(state: State, depth: number): HclValue {
  const token = advance(state);
  if (depth >= maxDepth) throw new HclError(`nested deeper than ${maxDepth} levels`, token);
  if (token.kind === 'string') return token.text;
  if (token.kind === 'number') return numberOf(token);
  if (token.kind === '{') return { entries: entriesUntil(state, '}', depth + 1) };
  if (token.kind === '[') return list(state, depth + 1);
  if (token.kind === 'identifier') {
    if (token.text === 'true' || token.text === 'false') return token.text === 'true';
    if (state.json && token.text === 'null') return null;
  }
  throw new HclError(`expected a value, found ${quoted(token)}`, token);
}

/** As Go reads them: hexadecimal by 0x, octal by a leading 0. */
function numberOf(token: Token): number {
  const isNegative = token.text.startsWith('-');
  const digits = isNegative ? token.text.slice(1) : token.text;
  const isOctal = /^0\d+$/.test(digits);
  if (isOctal && /[89]/.test(digits)) throw new HclError(`"${token.text}" is not an octal number`, token);
  const size = isOctal ? Number.parseInt(digits, 8) : Number(digits);
  return isNegative && size !== 0 ? -size : size;
}

function list(state: State, depth: number): HclValue[] {
  const values: HclValue[] = [];
  while (peek(state).kind !== ']') {
    values.push(value(state, depth));
    const separator = peek(state);
    if (separator.kind === ',') advance(state);
    else if (separator.kind !== ']') {
      throw new HclError(`expected "," or "]" in the list, found ${quoted(separator)}`, separator);
    }
  }
  advance(state);
  return values;
}

function peek(state: State): Token {
  const token = state.tokens[Math.min(state.index, state.tokens.length - 1)];
  if (token === undefined) throw new HclError('empty text', { line: 1, column: 1 });
  return token;
}

function advance(state: State): Token {
  const token = peek(state);
  state.index++;
  return token;
}

function quoted(token: Token): string {
  return token.kind === 'end' ? token.text : `"${token.text.slice(0, 40)}"`;
}
