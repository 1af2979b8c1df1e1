import { TemplateError } from './errors.ts';
import { Lexer } from './lex.ts';
import type { Branch, Command, List, Node, Operand, Pipe, Variable } from './nodes.ts';
import { parseNumber } from './number.ts';
import { quote, unquote } from './quote.ts';
import { TokenStream } from './token-stream.ts';
import { type Token, type TokenType, tokenText } from './tokens.ts';

export interface ParseOptions {
  readonly leftDelimiter?: string;
  readonly rightDelimiter?: string;
  /** Is there a function of this name? */
  readonly isFunction: (name: string) => boolean;
}

/** The parsed templates by name; the main one is called `''`. */
export type Templates = ReadonlyMap<string, List>;

interface Terminator {
  readonly kind: 'end' | 'else';
  readonly pos: number;
}
type Context =
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

/**
 * Parses a Go template.
 * @param text binary string (see values.ts)
 * @throws TemplateError `template-parse` with Go's message, `template: :LINE: …`
 */
export function parseTemplate(text: string, options: ParseOptions): Templates {
  const templates = new Map<string, List>();
  const lexer = new Lexer(text, options.leftDelimiter ?? '', options.rightDelimiter ?? '');
  const root = new Parser(new TokenStream(lexer), templates, options.isFunction).parse();
  addTemplate(templates, '', root, (message) => {
    throw new TemplateError('template-parse', message);
  });
  if (!templates.has('')) templates.set('', root);
  return templates;
}

function addTemplate(
  templates: Map<string, List>,
  name: string,
  list: List,
  fail: (m: string) => never,
): void {
  const known = templates.get(name);
  if (known === undefined || isEmpty(known)) templates.set(name, list);
  else if (!isEmpty(list)) fail(`template: multiple definition of template ${quote(name)}`);
}

function isEmpty(node: Node): boolean {
  if (node.kind === 'list') return node.nodes.every(isEmpty);
  return node.kind === 'text' && node.text.trim() === '';
}

/** One template body: the main one, or that of a `define` or `block`, which has its own variables and range depth. */
class Parser {
  readonly #tokens: TokenStream;
  readonly #templates: Map<string, List>;
  readonly #isFunction: (name: string) => boolean;
  #variables: string[] = ['$'];
  #rangeDepth = 0;
  #depth = 0;
  #actionLine = 0;

  constructor(tokens: TokenStream, templates: Map<string, List>, isFunction: (name: string) => boolean) {
    this.#tokens = tokens;
    this.#templates = templates;
    this.#isFunction = isFunction;
  }

  parse(): List {
    const nodes: Node[] = [];
    const { pos } = this.#tokens.peek();
    while (this.#tokens.peek().type !== 'EOF') {
      if (this.#definition()) continue;
      const node = this.#textOrAction();
      if (isTerminator(node)) return this.#fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    return { kind: 'list', pos, nodes };
  }

  #fail(message: string): never {
    throw new TemplateError('template-parse', `template: :${this.#tokens.line}: ${message}`);
  }

  #unexpected(token: Token, context: string): never {
    if (token.type !== 'error') return this.#fail(`unexpected ${tokenText(token)} in ${context}`);
    let extra = '';
    if (this.#actionLine !== 0 && this.#actionLine !== token.line) {
      extra = ` in action started at :${this.#actionLine}`;
      if (token.value.endsWith(' action')) extra = extra.slice(' in action'.length);
    }
    return this.#fail(`${token.value}${extra}`);
  }

  #expect(context: string, ...types: TokenType[]): Token {
    const token = this.#tokens.nextNonSpace();
    return types.includes(token.type) ? token : this.#unexpected(token, context);
  }

  #definition(): boolean {
    if (this.#tokens.peek().type !== 'leftDelim') return false;
    const delim = this.#tokens.next();
    if (this.#tokens.nextNonSpace().type !== 'define') {
      this.#tokens.backup2(delim);
      return false;
    }
    const body = new Parser(this.#tokens, this.#templates, this.#isFunction);
    const name = body.#unquoted(body.#expect('define clause', 'string', 'rawString'));
    body.#expect('define clause', 'rightDelim');
    body.#body(name, 'define clause');
    return true;
  }

  #body(name: string, context: string): void {
    const { list, end } = this.#itemList();
    if (end.kind !== 'end') this.#fail(`unexpected {{else}} in ${context}`);
    addTemplate(this.#templates, name, list, (message) => this.#fail(message));
  }

  #unquoted(token: Token): string {
    return unquote(token.value) ?? this.#fail('invalid syntax');
  }

  #itemList(): { list: List; end: Terminator } {
    const { pos } = this.#tokens.peekNonSpace();
    const nodes: Node[] = [];
    while (this.#tokens.peekNonSpace().type !== 'EOF') {
      const node = this.#textOrAction();
      if (isTerminator(node)) return { list: { kind: 'list', pos, nodes }, end: node };
      nodes.push(node);
    }
    return this.#fail('unexpected EOF');
  }

  #textOrAction(): Node | Terminator {
    const token = this.#tokens.nextNonSpace();
    if (token.type === 'text') return { kind: 'text', pos: token.pos, text: token.value };
    if (token.type !== 'leftDelim') return this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): Node | Terminator {
    const token = this.#tokens.nextNonSpace();
    switch (token.type) {
      case 'block':
        return this.#block();
      case 'break':
      case 'continue':
        return this.#jump(token, token.type);
      case 'else':
        return this.#else();
      case 'end':
        return { kind: 'end', pos: this.#expect('end', 'rightDelim').pos };
      case 'if':
      case 'range':
      case 'with':
        return this.#branch(token.type);
      case 'template':
        return this.#template();
    }
    this.#tokens.backup();
    const { pos } = this.#tokens.peek();
    return { kind: 'action', pos, pipe: this.#pipeline('command', 'rightDelim') };
  }

  #jump(token: Token, kind: 'break' | 'continue'): Node {
    const next = this.#tokens.nextNonSpace();
    if (next.type !== 'rightDelim') this.#unexpected(next, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, pos: token.pos };
  }

  #else(): Terminator {
    const peek = this.#tokens.peekNonSpace();
    if (peek.type === 'if' || peek.type === 'with') return { kind: 'else', pos: peek.pos };
    return { kind: 'else', pos: this.#expect('else', 'rightDelim').pos };
  }

  #branch(kind: Branch['kind']): Branch {
    this.#deeper();
    const known = this.#variables.length;
    const pipe = this.#pipeline(kind, 'rightDelim');
    if (kind === 'range') this.#rangeDepth++;
    const { list, end } = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    const elseList = end.kind === 'else' ? this.#elseList(kind, end) : undefined;
    this.#variables.length = known;
    this.#depth--;
    return { kind, pos: pipe.pos, pipe, list, elseList };
  }

  #elseList(kind: Branch['kind'], end: Terminator): List {
    if ((kind === 'if' || kind === 'with') && this.#tokens.peek().type === kind) {
      this.#tokens.next();
      return { kind: 'list', pos: end.pos, nodes: [this.#branch(kind)] };
    }
    const rest = this.#itemList();
    if (rest.end.kind !== 'end') this.#fail('expected end; found {{else}}');
    return rest.list;
  }

  #block(): Node {
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, 'block clause');
    const pipe = this.#pipeline('block clause', 'rightDelim');
    new Parser(this.#tokens, this.#templates, this.#isFunction).#body(name, 'block clause');
    return { kind: 'template', pos: token.pos, name, pipe };
  }

  #template(): Node {
    const token = this.#tokens.nextNonSpace();
    const name = this.#templateName(token, 'template clause');
    if (this.#tokens.nextNonSpace().type === 'rightDelim')
      return { kind: 'template', pos: token.pos, name, pipe: undefined };
    this.#tokens.backup();
    const pipe = this.#pipeline('template clause', 'rightDelim');
    return { kind: 'template', pos: token.pos, name, pipe };
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') this.#unexpected(token, context);
    return this.#unquoted(token);
  }

  #pipeline(context: Context, end: TokenType): Pipe {
    const first = this.#tokens.peekNonSpace();
    const { declared, isAssign } = this.#declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#tokens.nextNonSpace();
      if (token.type === end) break;
      if (!operandStarts.has(token.type)) this.#unexpected(token, context);
      this.#tokens.backup();
      commands.push(this.#command());
    }
    this.#checkPipeline(commands, context);
    return { kind: 'pipe', pos: first.pos, line: first.line, declared, isAssign, commands };
  }

  #declarations(context: Context): { declared: Variable[]; isAssign: boolean } {
    const declared: Variable[] = [];
    for (;;) {
      const variable = this.#tokens.peekNonSpace();
      if (variable.type !== 'variable') return { declared, isAssign: false };
      this.#tokens.next();
      // `$x foo` is an argument, `$x := foo` a declaration: the space between has to be put back for the first.
      const after = this.#tokens.peek();
      const next = this.#tokens.peekNonSpace();
      const isComma = next.type === 'char' && next.value === ',';
      if (next.type === 'assign' || next.type === 'declare' || isComma) {
        this.#tokens.nextNonSpace();
        declared.push({ kind: 'variable', pos: variable.pos, names: [variable.value] });
        this.#variables.push(variable.value);
        if (!isComma) return { declared, isAssign: next.type === 'assign' };
        if (context !== 'range' || declared.length > 1) this.#fail(`too many declarations in ${context}`);
        const { type } = this.#tokens.peekNonSpace();
        if (type !== 'variable' && type !== 'rightDelim' && type !== 'rightParen')
          this.#fail('range can only initialize variables');
        continue;
      }
      if (after.type === 'space') this.#tokens.backup3(variable, after);
      else this.#tokens.backup2(variable);
      return { declared, isAssign: false };
    }
  }

  #checkPipeline(commands: readonly Command[], context: Context): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    const constant = new Set(['bool', 'dot', 'nil', 'number', 'string']);
    for (const [i, command] of commands.entries()) {
      if (i > 0 && constant.has(command.args[0]?.kind ?? ''))
        this.#fail(`non executable command in pipeline stage ${i + 1}`);
    }
  }

  #command(): Command {
    const { pos } = this.#tokens.peekNonSpace();
    const args: Operand[] = [];
    for (;;) {
      this.#tokens.peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) args.push(operand);
      const token = this.#tokens.next();
      if (token.type === 'space') continue;
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.#tokens.backup();
      else if (token.type !== 'pipe') this.#unexpected(token, 'operand');
      break;
    }
    if (args.length === 0) this.#fail('empty command');
    return { kind: 'command', pos, args };
  }

  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#tokens.peek().type !== 'field') return term;
    const { pos } = this.#tokens.peek();
    const names: string[] = [];
    while (this.#tokens.peek().type === 'field') names.push(this.#tokens.next().value.slice(1));
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { kind: term.kind, pos, names: [...term.names, ...names] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#fail(`unexpected . after term ${quote(termText(term))}`);
      default:
        return { kind: 'chain', pos, node: term, names };
    }
  }

  #term(): Operand | undefined {
    const token = this.#tokens.nextNonSpace();
    const { pos, value } = token;
    switch (token.type) {
      case 'identifier':
        if (!this.#isFunction(value)) this.#fail(`function ${quote(value)} not defined`);
        return { kind: 'identifier', pos, name: value };
      case 'dot':
      case 'nil':
        return { kind: token.type, pos };
      case 'variable':
        if (!this.#variables.includes(value)) this.#fail(`undefined variable ${quote(value)}`);
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
        return { kind: 'string', pos, value: this.#unquoted(token), text: value };
    }
    this.#tokens.backup();
    return undefined;
  }

  #number(token: Token, type: 'number' | 'charConstant' | 'complex'): Operand {
    const constant = parseNumber(token.value, type);
    return typeof constant === 'string' ? this.#fail(constant) : { kind: 'number', pos: token.pos, constant };
  }

  #parenthesized(): Pipe {
    this.#deeper();
    const pipe = this.#pipeline('parenthesized pipeline', 'rightParen');
    this.#depth--;
    return pipe;
  }

  /** Go allows 10000 parentheses; a template nested deeper than this is an attack on the stack, not a template. */
  #deeper(): void {
    if (++this.#depth > maxDepth) this.#fail('max expression depth exceeded');
  }
}

function isTerminator(node: Node | Terminator): node is Terminator {
  return node.kind === 'end' || node.kind === 'else';
}

function termText(term: Operand): string {
  if (term.kind === 'dot') return '.';
  if (term.kind === 'number') return term.constant.text;
  return term.kind === 'bool' || term.kind === 'string' ? term.text : 'nil';
}
