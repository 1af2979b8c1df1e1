import type { NumberConstant } from './number.ts';
import { quote } from './quote.ts';

interface At {
  /** Byte offset in the text, for error positions. */
  readonly pos: number;
}

export interface Field extends At {
  readonly kind: 'field';
  readonly names: readonly string[];
}
export interface Variable extends At {
  readonly kind: 'variable';
  /** `$x` first, then the fields behind it. */
  readonly names: readonly string[];
}
export interface Chain extends At {
  readonly kind: 'chain';
  readonly node: Operand;
  readonly names: readonly string[];
}
export interface Identifier extends At {
  readonly kind: 'identifier';
  readonly name: string;
}
export interface Literal extends At {
  readonly kind: 'bool' | 'string';
  readonly value: boolean | string;
  readonly text: string;
}
export interface NumberLiteral extends At {
  readonly kind: 'number';
  readonly constant: NumberConstant;
}
export interface Dot extends At {
  readonly kind: 'dot' | 'nil';
}
export interface Pipe extends At {
  readonly kind: 'pipe';
  readonly line: number;
  readonly isAssign: boolean;
  readonly declared: readonly Variable[];
  readonly commands: readonly Command[];
}
export interface Command extends At {
  readonly kind: 'command';
  readonly args: readonly Operand[];
}
export type Operand = Field | Variable | Chain | Identifier | Literal | NumberLiteral | Dot | Pipe;

export interface Text extends At {
  readonly kind: 'text';
  readonly text: string;
}
export interface Action extends At {
  readonly kind: 'action';
  readonly pipe: Pipe;
}
export interface Branch extends At {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: Pipe;
  readonly list: List;
  readonly elseList: List | undefined;
}
export interface Call extends At {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe: Pipe | undefined;
}
export interface Jump extends At {
  readonly kind: 'break' | 'continue';
}
export interface List extends At {
  readonly kind: 'list';
  readonly nodes: readonly Node[];
}
export type Node = Text | Action | Branch | Call | Jump | List;

/** The source of a node as Go prints it between `<` and `>` in errors. */
export function nodeText(node: Node | Operand | Command): string {
  switch (node.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'field':
      return node.names.map((n) => `.${n}`).join('');
    case 'variable':
      return node.names.join('.');
    case 'chain':
      return `${parenthesized(node.node)}${node.names.map((n) => `.${n}`).join('')}`;
    case 'identifier':
      return node.name;
    case 'bool':
    case 'string':
      return node.text;
    case 'number':
      return node.constant.text;
    case 'command':
      return node.args.map(parenthesized).join(' ');
    case 'pipe':
      return pipeText(node);
    default:
      return statementText(node);
  }
}

function parenthesized(node: Operand): string {
  return node.kind === 'pipe' ? `(${nodeText(node)})` : nodeText(node);
}

function pipeText(pipe: Pipe): string {
  const commands = pipe.commands.map(nodeText).join(' | ');
  if (pipe.declared.length === 0) return commands;
  return `${pipe.declared.map(nodeText).join(', ')} ${pipe.isAssign ? '=' : ':='} ${commands}`;
}

function statementText(node: Node): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${nodeText(node.pipe)}}}`;
    case 'list':
      return node.nodes.map(nodeText).join('');
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe === undefined ? '' : ` ${nodeText(node.pipe)}`}}}`;
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
  }
  const otherwise = node.elseList === undefined ? '' : `{{else}}${nodeText(node.elseList)}`;
  return `{{${node.kind} ${nodeText(node.pipe)}}}${nodeText(node.list)}${otherwise}{{end}}`;
}
