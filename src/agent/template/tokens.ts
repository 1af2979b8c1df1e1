import { quote } from './quote.ts';

export type TokenType =
  | 'error'
  | 'bool'
  | 'char'
  | 'charConstant'
  | 'complex'
  | 'assign'
  | 'declare'
  | 'EOF'
  | 'field'
  | 'identifier'
  | 'leftDelim'
  | 'leftParen'
  | 'number'
  | 'pipe'
  | 'rawString'
  | 'rightDelim'
  | 'rightParen'
  | 'space'
  | 'string'
  | 'text'
  | 'variable'
  | Keyword;

export type Keyword =
  | 'block'
  | 'break'
  | 'continue'
  | 'dot'
  | 'define'
  | 'else'
  | 'end'
  | 'if'
  | 'nil'
  | 'range'
  | 'template'
  | 'with';

export const keywords: ReadonlyMap<string, Keyword> = new Map(
  (
    ['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'nil', 'range', 'template', 'with'] as const
  ).map((k) => [k, k]),
);

export interface Token {
  readonly type: TokenType;
  /** Byte offset in the template's text. */
  readonly pos: number;
  readonly value: string;
  readonly line: number;
}

/** How Go's parser names a token in `unexpected …`. */
export function tokenText(token: Token): string {
  if (token.type === 'EOF') return 'EOF';
  if (token.type === 'error') return token.value;
  if (token.type === 'dot' || keywords.has(token.type)) return `<${token.value}>`;
  return token.value.length > 10 ? `${quote(token.value, 10)}...` : quote(token.value);
}
