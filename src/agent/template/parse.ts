import { TemplateError } from './errors.ts';
import { Lexer } from './lex.ts';
import type { Branch, List, Node } from './nodes.ts';
import { ExpressionParser } from './parse-expression.ts';
import { quote } from './quote.ts';
import { TokenStream } from './token-stream.ts';
import type { Token } from './tokens.ts';

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
class Parser extends ExpressionParser {
  readonly #templates: Map<string, List>;
  #rangeDepth = 0;

  constructor(tokens: TokenStream, templates: Map<string, List>, isFunction: (name: string) => boolean) {
    super(tokens, isFunction);
    this.#templates = templates;
  }

  parse(): List {
    const nodes: Node[] = [];
    const { pos } = this.tokens.peek();
    while (this.tokens.peek().type !== 'EOF') {
      if (this.#definition()) continue;
      const node = this.#textOrAction();
      if (isTerminator(node)) return this.fail(`unexpected {{${node.kind}}}`);
      nodes.push(node);
    }
    return { kind: 'list', pos, nodes };
  }

  #definition(): boolean {
    if (this.tokens.peek().type !== 'leftDelim') return false;
    const delim = this.tokens.next();
    if (this.tokens.nextNonSpace().type !== 'define') {
      this.tokens.backup2(delim);
      return false;
    }
    const body = new Parser(this.tokens, this.#templates, this.isFunction);
    const name = body.unquoted(body.expect('define clause', 'string', 'rawString'));
    body.expect('define clause', 'rightDelim');
    body.#body(name, 'define clause');
    return true;
  }

  #body(name: string, context: string): void {
    const { list, end } = this.#itemList();
    if (end.kind !== 'end') this.fail(`unexpected {{else}} in ${context}`);
    addTemplate(this.#templates, name, list, (message) => this.fail(message));
  }

  #itemList(): { list: List; end: Terminator } {
    const { pos } = this.tokens.peekNonSpace();
    const nodes: Node[] = [];
    while (this.tokens.peekNonSpace().type !== 'EOF') {
      const node = this.#textOrAction();
      if (isTerminator(node)) return { list: { kind: 'list', pos, nodes }, end: node };
      nodes.push(node);
    }
    return this.fail('unexpected EOF');
  }

  #textOrAction(): Node | Terminator {
    const token = this.tokens.nextNonSpace();
    if (token.type === 'text') return { kind: 'text', pos: token.pos, text: token.value };
    if (token.type !== 'leftDelim') return this.unexpected(token, 'input');
    this.actionLine = token.line;
    const node = this.#action();
    this.actionLine = 0;
    return node;
  }

  #action(): Node | Terminator {
    const token = this.tokens.nextNonSpace();
    switch (token.type) {
      case 'block':
        return this.#block();
      case 'break':
      case 'continue':
        return this.#jump(token, token.type);
      case 'else':
        return this.#else();
      case 'end':
        return { kind: 'end', pos: this.expect('end', 'rightDelim').pos };
      case 'if':
      case 'range':
      case 'with':
        return this.#branch(token.type);
      case 'template':
        return this.#template();
    }
    this.tokens.backup();
    const { pos } = this.tokens.peek();
    return { kind: 'action', pos, pipe: this.pipeline('command', 'rightDelim') };
  }

  #jump(token: Token, kind: 'break' | 'continue'): Node {
    const next = this.tokens.nextNonSpace();
    if (next.type !== 'rightDelim') this.unexpected(next, `{{${kind}}}`);
    if (this.#rangeDepth === 0) this.fail(`{{${kind}}} outside {{range}}`);
    return { kind, pos: token.pos };
  }

  #else(): Terminator {
    const peek = this.tokens.peekNonSpace();
    if (peek.type === 'if' || peek.type === 'with') return { kind: 'else', pos: peek.pos };
    return { kind: 'else', pos: this.expect('else', 'rightDelim').pos };
  }

  #branch(kind: Branch['kind']): Branch {
    this.deeper();
    const known = this.variables.length;
    const pipe = this.pipeline(kind, 'rightDelim');
    if (kind === 'range') this.#rangeDepth++;
    const { list, end } = this.#itemList();
    if (kind === 'range') this.#rangeDepth--;
    const elseList = end.kind === 'else' ? this.#elseList(kind, end) : undefined;
    this.variables.length = known;
    this.depth--;
    return { kind, pos: pipe.pos, pipe, list, elseList };
  }

  #elseList(kind: Branch['kind'], end: Terminator): List {
    if ((kind === 'if' || kind === 'with') && this.tokens.peek().type === kind) {
      this.tokens.next();
      return { kind: 'list', pos: end.pos, nodes: [this.#branch(kind)] };
    }
    const rest = this.#itemList();
    if (rest.end.kind !== 'end') this.fail('expected end; found {{else}}');
    return rest.list;
  }

  #block(): Node {
    const token = this.tokens.nextNonSpace();
    const name = this.#templateName(token, 'block clause');
    const pipe = this.pipeline('block clause', 'rightDelim');
    new Parser(this.tokens, this.#templates, this.isFunction).#body(name, 'block clause');
    return { kind: 'template', pos: token.pos, name, pipe };
  }

  #template(): Node {
    const token = this.tokens.nextNonSpace();
    const name = this.#templateName(token, 'template clause');
    if (this.tokens.nextNonSpace().type === 'rightDelim')
      return { kind: 'template', pos: token.pos, name, pipe: undefined };
    this.tokens.backup();
    const pipe = this.pipeline('template clause', 'rightDelim');
    return { kind: 'template', pos: token.pos, name, pipe };
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') this.unexpected(token, context);
    return this.unquoted(token);
  }
}

function isTerminator(node: Node | Terminator): node is Terminator {
  return node.kind === 'end' || node.kind === 'else';
}
