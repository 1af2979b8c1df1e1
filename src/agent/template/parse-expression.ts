import { TemplateError } from './errors.ts';
import type { Command, Operand, Pipe, Variable } from './nodes.ts';
import { parseNumber } from './number.ts';
import { quote, unquote } from './quote.ts';
import type { TokenStream } from './token-stream.ts';
import { type Token, type TokenType, tokenText } from './tokens.ts';

export type Context =
  | 'if'
  | 'with'
  | 'range'
  | 'command'
  | 'block clause'
  | 'template clause'
  | 'parenthesized pipeline';

const maxDepth = 500;
const operandStarts: ReadonlySet<TokenType> = new Set([
  'bool',
  'charConstant',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
] satisfies TokenType[]);

/** Pipelines, commands and operands: what stands inside an action. */
export class ExpressionParser {
  protected readonly tokens: TokenStream;
  protected readonly isFunction: (name: string) => boolean;
  protected variables: string[] = ['$'];
  protected depth = 0;
  protected actionLine = 0;

  constructor(tokens: TokenStream, isFunction: (name: string) => boolean) {
    this.tokens = tokens;
    this.isFunction = isFunction;
  }

  protected fail(message: string): never {
    throw new TemplateError('template-parse', `template: :${this.tokens.line}: ${message}`);
  }

  protected unexpected(token: Token, context: string): never {
    if (token.type !== 'error') return this.fail(`unexpected ${tokenText(token)} in ${context}`);
    let extra = '';
    if (this.actionLine !== 0 && this.actionLine !== token.line) {
      extra = ` in action started at :${this.actionLine}`;
      if (token.value.endsWith(' action')) extra = extra.slice(' in action'.length);
    }
    return this.fail(`${token.value}${extra}`);
  }

  protected expect(context: string, ...types: TokenType[]): Token {
    const token = this.tokens.nextNonSpace();
    return types.includes(token.type) ? token : this.unexpected(token, context);
  }

  protected unquoted(token: Token): string {
    return unquote(token.value) ?? this.fail('invalid syntax');
  }

  protected pipeline(context: Context, end: TokenType): Pipe {
    const first = this.tokens.peekNonSpace();
    const { declared, isAssign } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.tokens.nextNonSpace();
      if (token.type === end) break;
      if (!operandStarts.has(token.type)) this.unexpected(token, context);
      this.tokens.backup();
      commands.push(this.#command());
    }
    this.#checkPipeline(commands, context);
    return { kind: 'pipe', pos: first.pos, line: first.line, declared, isAssign, commands };
  }

  #declarations(context: Context): { declared: Variable[]; isAssign: boolean } {
    const declared: Variable[] = [];
    for (;;) {
      const variable = this.tokens.peekNonSpace();
      if (variable.type !== 'variable') return { declared, isAssign: false };
      this.tokens.next();
      // `$x foo` is an argument, `$x := foo` a declaration: the space between has to be put back for the first.
      const after = this.tokens.peek();
      const next = this.tokens.peekNonSpace();
      const isComma = next.type === 'char' && next.value === ',';
      if (next.type === 'assign' || next.type === 'declare' || isComma) {
        this.tokens.nextNonSpace();
        declared.push({ kind: 'variable', pos: variable.pos, names: [variable.value] });
        this.variables.push(variable.value);
        if (!isComma) return { declared, isAssign: next.type === 'assign' };
        if (context !== 'range' || declared.length > 1) this.fail(`too many declarations in ${context}`);
        const { type } = this.tokens.peekNonSpace();
        if (type !== 'variable' && type !== 'rightDelim' && type !== 'rightParen')
          this.fail('range can only initialize variables');
        continue;
      }
      if (after.type === 'space') this.tokens.backup3(variable, after);
      else this.tokens.backup2(variable);
      return { declared, isAssign: false };
    }
  }

  #checkPipeline(commands: readonly Command[], context: Context): void {
    if (commands.length === 0) this.fail(`missing value for ${context}`);
    const constant = new Set(['bool', 'dot', 'nil', 'number', 'string']);
    for (const [i, command] of commands.entries()) {
      if (i > 0 && constant.has(command.args[0]?.kind ?? ''))
        this.fail(`non executable command in pipeline stage ${i + 1}`);
    }
  }

  #command(): Command {
    const { pos } = this.tokens.peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      this.tokens.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.tokens.next();
      if (token.type === 'space') continue;
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.tokens.backup();
      else if (token.type !== 'pipe') this.unexpected(token, 'operand');
      break;
    }
    if (args.length === 0) this.fail('empty command');
    return { kind: 'command', pos, args };
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.tokens.peek().type !== 'field') return term;
    const { pos } = this.tokens.peek();
    const names: string[] = [];
    while (this.tokens.peek().type === 'field') names.push(this.tokens.next().value.slice(1));
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { kind: term.kind, pos, names: [...term.names, ...names] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.fail(`unexpected . after term ${quote(termText(term))}`);
      default:
        return { kind: 'chain', pos, node: term, names };
    }
  }

  #term(): Operand | undefined {
    const token = this.tokens.nextNonSpace();
    const { pos, value } = token;
    switch (token.type) {
      case 'identifier':
        if (!this.isFunction(value)) this.fail(`function ${quote(value)} not defined`);
        return { kind: 'identifier', pos, name: value };
      case 'dot':
      case 'nil':
        return { kind: token.type, pos };
      case 'variable':
        if (!this.variables.includes(value)) this.fail(`undefined variable ${quote(value)}`);
        return { kind: 'variable', pos, names: [value] };
      case 'field':
        return { kind: 'field', pos, names: [value.slice(1)] };
      case 'bool':
        return { kind: 'bool', pos, value: value === 'true', text: value };
      case 'charConstant':
      case 'complex':
      case 'number':
        return this.#number(token, token.type);
      case 'leftParen':
        return this.#parenthesized();
      case 'string':
      case 'rawString':
        return { kind: 'string', pos, value: this.unquoted(token), text: value };
    }
    this.tokens.backup();
    return undefined;
  }

  #number(token: Token, type: 'number' | 'charConstant' | 'complex'): Operand {
    const constant = parseNumber(token.value, type);
    return typeof constant === 'string' ? this.fail(constant) : { kind: 'number', pos: token.pos, constant };
  }

  #parenthesized(): Pipe {
    this.deeper();
    const pipe = this.pipeline('parenthesized pipeline', 'rightParen');
    this.depth--;
    return pipe;
  }

  /** Go allows 10000 parentheses; a template nested deeper than this is an attack on the stack, not a template. */
  protected deeper(): void {
    if (++this.depth > maxDepth) this.fail('max expression depth exceeded');
  }
}

function termText(term: Operand): string {
  if (term.kind === 'dot') return '.';
  if (term.kind === 'number') return term.constant.text;
  return term.kind === 'bool' || term.kind === 'string' ? term.text : 'nil';
}
