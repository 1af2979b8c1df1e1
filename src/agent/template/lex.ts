import { quote } from './quote.ts';
import { isAlphaNumeric, runeAt, runeName } from './runes.ts';
import { keywords, type Token, type TokenType } from './tokens.ts';

const EOF = -1;
const spaces = ' \t\r\n';
const isSpace = (c: string | undefined): boolean => c !== undefined && c !== '' && spaces.includes(c);

/** Splits a template (binary string) into tokens, one at a time, as Go's text/template/parse does. */
export class Lexer {
  readonly #input: string;
  readonly #left: string;
  readonly #right: string;
  #pos = 0;
  #start = 0;
  #line = 1;
  #startLine = 1;
  #parens = 0;
  #inside = false;
  #failed: Token | undefined;

  constructor(input: string, left: string, right: string) {
    this.#input = input;
    this.#left = left === '' ? '{{' : left;
    this.#right = right === '' ? '}}' : right;
  }

  /** The next token; after the first error the same error again. */
  next(): Token {
    if (this.#failed !== undefined) return this.#failed;
    return this.#inside ? this.#insideAction() : this.#text();
  }

  #emit(type: TokenType): Token {
    const value = this.#input.slice(this.#start, this.#pos);
    const token: Token = { type, pos: this.#start, value, line: this.#startLine };
    this.#line += newlines(value);
    this.#start = this.#pos;
    this.#startLine = this.#line;
    return token;
  }

  #skip(): void {
    this.#line += newlines(this.#input.slice(this.#start, this.#pos));
    this.#start = this.#pos;
    this.#startLine = this.#line;
  }

  #error(message: string): Token {
    this.#failed = { type: 'error', pos: this.#start, value: message, line: this.#startLine };
    return this.#failed;
  }

  #text(): Token {
    for (;;) {
      const at = this.#input.indexOf(this.#left, this.#pos);
      if (at === -1) {
        this.#pos = this.#input.length;
        return this.#emit(this.#pos > this.#start ? 'text' : 'EOF');
      }
      const token = this.#textBefore(at);
      if (token !== undefined) return token;
      const delim = this.#leftDelim();
      if (delim !== undefined) return delim; // undefined: it was a comment
    }
  }

  #textBefore(at: number): Token | undefined {
    if (at === this.#pos) return undefined;
    const trimmed = isLeftTrim(this.#input, at + this.#left.length);
    let end = at;
    if (trimmed) while (end > this.#start && isSpace(this.#input[end - 1])) end--;
    this.#pos = end;
    const token = end > this.#start ? this.#emit('text') : undefined;
    this.#pos = at;
    this.#skip();
    return token;
  }

  #leftDelim(): Token | undefined {
    const from = this.#pos + this.#left.length;
    const marker = isLeftTrim(this.#input, from) ? 2 : 0;
    this.#pos = from;
    if (this.#input.startsWith('/*', from + marker)) {
      this.#pos += marker;
      this.#skip();
      return this.#comment();
    }
    const token = this.#emit('leftDelim');
    this.#inside = true;
    this.#parens = 0;
    this.#pos += marker;
    this.#skip();
    return token;
  }

  #comment(): Token | undefined {
    const end = this.#input.indexOf('*/', this.#pos + 2);
    if (end === -1) return this.#error('unclosed comment');
    this.#pos = end + 2;
    const { delim, trim } = this.#atRightDelim(this.#pos);
    if (!delim) return this.#error('comment ends before closing delimiter');
    this.#pos += (trim ? 2 : 0) + this.#right.length;
    if (trim) this.#skipSpaces();
    this.#skip();
    return undefined;
  }

  #skipSpaces(): void {
    while (isSpace(this.#input[this.#pos])) this.#pos++;
  }

  #atRightDelim(at: number): { delim: boolean; trim: boolean } {
    if (
      isSpace(this.#input[at]) &&
      this.#input[at + 1] === '-' &&
      this.#input.startsWith(this.#right, at + 2)
    )
      return { delim: true, trim: true };
    return { delim: this.#input.startsWith(this.#right, at), trim: false };
  }

  #rightDelim(): Token {
    const { trim } = this.#atRightDelim(this.#pos);
    if (trim) {
      this.#pos += 2;
      this.#skip();
    }
    this.#pos += this.#right.length;
    const token = this.#emit('rightDelim');
    if (trim) {
      this.#skipSpaces();
      this.#skip();
    }
    this.#inside = false;
    return token;
  }

  #insideAction(): Token {
    if (this.#atRightDelim(this.#pos).delim) {
      return this.#parens === 0 ? this.#rightDelim() : this.#error('unclosed left paren');
    }
    const c = this.#input[this.#pos];
    if (c === undefined) return this.#error('unclosed action');
    if (isSpace(c)) return this.#space();
    const single = this.#punctuation(c);
    if (single !== undefined) return single;
    const { code, width } = runeAt(this.#input, this.#pos);
    if (isAlphaNumeric(code)) return this.#identifier();
    this.#pos += width;
    return code > 0x20 && code < 0x7f
      ? this.#emit('char')
      : this.#error(`unrecognized character in action: ${runeName(code)}`);
  }

  #punctuation(c: string): Token | undefined {
    switch (c) {
      case '=':
        return this.#one('assign');
      case '|':
        return this.#one('pipe');
      case ':':
        if (this.#input[this.#pos + 1] !== '=') return this.#error('expected :=');
        this.#pos += 2;
        return this.#emit('declare');
      case '"':
        return this.#quoted('"', 'string', 'unterminated quoted string');
      case "'":
        return this.#quoted("'", 'charConstant', 'unterminated character constant');
      case '`':
        return this.#raw();
      case '$':
        return this.#fieldOrVariable('variable');
      case '(':
        this.#parens++;
        return this.#one('leftParen');
      case ')':
        return --this.#parens < 0 ? this.#error('unexpected right paren') : this.#one('rightParen');
    }
    const digitFollows = /[0-9]/.test(this.#input[this.#pos + 1] ?? '');
    if (c === '.' && this.#pos + 1 < this.#input.length && !digitFollows)
      return this.#fieldOrVariable('field');
    return /[-+.0-9]/.test(c) ? this.#number() : undefined;
  }

  #one(type: TokenType): Token {
    this.#pos++;
    return this.#emit(type);
  }

  #space(): Token {
    const from = this.#pos;
    this.#skipSpaces();
    // The last space may belong to a trim-marked right delimiter.
    const last = this.#pos - 1;
    if (this.#input[this.#pos] === '-' && this.#input.startsWith(this.#right, this.#pos + 1)) {
      this.#pos = last;
      if (last === from) return this.#rightDelim();
    }
    return this.#emit('space');
  }

  #identifier(): Token {
    const code = this.#absorbWord();
    const word = this.#input.slice(this.#start, this.#pos);
    if (!this.#atTerminator()) return this.#error(`bad character ${runeName(code)}`);
    const keyword = keywords.get(word);
    if (keyword !== undefined) return this.#emit(keyword);
    return this.#emit(word === 'true' || word === 'false' ? 'bool' : 'identifier');
  }

  /** Moves behind letters and digits; returns the rune that stopped it. */
  #absorbWord(): number {
    while (this.#pos < this.#input.length) {
      const { code, width } = runeAt(this.#input, this.#pos);
      if (!isAlphaNumeric(code)) return code;
      this.#pos += width;
    }
    return EOF;
  }

  #fieldOrVariable(type: 'field' | 'variable'): Token {
    this.#pos++;
    if (this.#atTerminator()) return this.#emit(type === 'variable' ? 'variable' : 'dot');
    const code = this.#absorbWord();
    return this.#atTerminator() ? this.#emit(type) : this.#error(`bad character ${runeName(code)}`);
  }

  #atTerminator(): boolean {
    const c = this.#input[this.#pos];
    if (c === undefined || isSpace(c) || '.,|:)('.includes(c)) return true;
    return this.#input.startsWith(this.#right, this.#pos);
  }

  #quoted(end: string, type: TokenType, unterminated: string): Token {
    for (this.#pos++; ; this.#pos++) {
      let c = this.#input[this.#pos];
      if (c === '\\') {
        c = this.#input[++this.#pos];
        if (c !== undefined && c !== '\n') continue;
      }
      if (c === undefined || c === '\n') return this.#error(unterminated);
      if (c === end) return this.#one(type);
    }
  }

  #raw(): Token {
    const end = this.#input.indexOf('`', this.#pos + 1);
    if (end === -1) return this.#error('unterminated raw quoted string');
    this.#pos = end + 1;
    return this.#emit('rawString');
  }

  #number(): Token {
    if (!this.#scanNumber()) return this.#badNumber();
    const sign = this.#input[this.#pos];
    if (sign !== '+' && sign !== '-') return this.#emit('number');
    if (!this.#scanNumber() || this.#input[this.#pos - 1] !== 'i') return this.#badNumber();
    return this.#emit('complex');
  }

  #badNumber(): Token {
    return this.#error(`bad number syntax: ${quote(this.#input.slice(this.#start, this.#pos))}`);
  }

  /** Deliberately loose, as Go's: what it accepts wrongly the number parser refuses. */
  #scanNumber(): boolean {
    const rest = this.#input.slice(this.#pos, this.#pos + 400);
    const match =
      /^[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/.exec(
        rest,
      );
    this.#pos += match?.[0].length ?? 0;
    if (this.#pos >= this.#input.length) return true;
    const { code, width } = runeAt(this.#input, this.#pos);
    if (!isAlphaNumeric(code)) return true;
    this.#pos += width;
    return false;
  }
}

function isLeftTrim(input: string, at: number): boolean {
  return input[at] === '-' && isSpace(input[at + 1]);
}

function newlines(text: string): number {
  let n = 0;
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) n++;
  return n;
}
