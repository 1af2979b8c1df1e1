import type { Lexer } from './lex.ts';
import type { Token } from './tokens.ts';

/** Up to three tokens of push-back, kept exactly as Go's parser keeps them: its error lines depend on it. */
export class TokenStream {
  readonly #lexer: Lexer;
  readonly #tokens: Token[];
  #peeked = 0;

  constructor(lexer: Lexer) {
    this.#lexer = lexer;
    const none: Token = { type: 'EOF', pos: 0, value: '', line: 1 };
    this.#tokens = [none, none, none];
  }

  /** Line that a parse error is reported for. */
  get line(): number {
    return this.#tokens[0]?.line ?? 1;
  }

  next(): Token {
    if (this.#peeked > 0) this.#peeked--;
    else this.#tokens[0] = this.#lexer.next();
    return this.#token(this.#peeked);
  }

  peek(): Token {
    if (this.#peeked > 0) return this.#token(this.#peeked - 1);
    this.#peeked = 1;
    this.#tokens[0] = this.#lexer.next();
    return this.#token(0);
  }

  nextNonSpace(): Token {
    for (;;) {
      const token = this.next();
      if (token.type !== 'space') return token;
    }
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace();
    this.backup();
    return token;
  }

  backup(): void {
    this.#peeked++;
  }

  backup2(first: Token): void {
    this.#tokens[1] = first;
    this.#peeked = 2;
  }

  backup3(second: Token, first: Token): void {
    this.#tokens[1] = first;
    this.#tokens[2] = second;
    this.#peeked = 3;
  }

  #token(i: number): Token {
    const token = this.#tokens[i];
    if (token === undefined) throw new RangeError('push-back deeper than three tokens');
    return token;
  }
}
