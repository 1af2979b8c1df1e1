import { builtins } from './builtins.ts';
import { callFunction } from './call.ts';
import { TemplateError } from './errors.ts';
import { fieldOf } from './field.ts';
import {
  type Branch,
  type Command,
  type List,
  type Node,
  nodeText,
  type Operand,
  type Pipe,
} from './nodes.ts';
import type { NumberConstant } from './number.ts';
import { formatValue, printed } from './print.ts';
import { quote } from './quote.ts';
import { type Evaluator, type Final, missing, type Run } from './run.ts';
import { elementOf, isTrue } from './types.ts';
import {
  Channel,
  Complex,
  GoMap,
  GoSlice,
  type GoValue,
  integerOf,
  Sized,
  sortedKeys,
  unbox,
} from './values.ts';

/**
 * Executes a parsed template with `dot`.
 * @returns the output, a binary string
 * @throws TemplateError `template-execute` with Go's message, `template-limit` when it does not end
 */
export function evaluateTemplate(run: Run, dot: GoValue = undefined): string {
  return executeNamed(run, '', dot, 0);
}

/** Executes the template called `name` within a run that is under way. */
export function executeNamed(run: Run, name: string, dot: GoValue, depth: number): string {
  const list = run.templates.get(name);
  if (list === undefined)
    throw new TemplateError(
      'template-execute',
      `template: no template ${quote(name)} associated with template ""`,
    );
  return new Execution(run, name, dot, depth).execute(list);
}

class Execution implements Evaluator {
  readonly run: Run;
  readonly depth: number;
  readonly #name: string;
  readonly #dot: GoValue;
  #variables: { readonly name: string; value: GoValue }[];
  #node: Node | Operand | Command | undefined;
  #out: string[] = [];

  constructor(run: Run, name: string, dot: GoValue, depth: number) {
    this.run = run;
    this.#name = name;
    this.#dot = dot;
    this.depth = depth;
    this.#variables = [{ name: '$', value: dot }];
  }

  execute(list: List): string {
    this.#walk(this.#dot, list);
    return this.#out.join('');
  }

  /** Remembers the node that an error would be about, and counts the step. */
  at(node: Node | Operand | Command): void {
    this.#node = node;
    if (++this.run.steps > this.run.limits.steps)
      this.#stop(`it was stopped after ${this.run.limits.steps} steps`);
  }

  fail(message: string): never {
    throw new TemplateError('template-execute', `${this.#where()}: ${message}`);
  }

  #stop(message: string): never {
    throw new TemplateError('template-limit', `${this.#where()}: ${message}`);
  }

  #where(): string {
    if (this.#node === undefined) return `template: ${this.#name}`;
    const before = this.run.text.slice(0, this.#node.pos);
    const line = before.split('\n').length;
    const column = this.#node.pos - (before.lastIndexOf('\n') + 1);
    return `template: :${line}:${column}: executing ${quote(this.#name)} at <${nodeText(this.#node)}>`;
  }

  #write(text: string): void {
    this.run.output += text.length;
    if (this.run.output > this.run.limits.outputBytes)
      this.#stop(`it was stopped after writing ${this.run.limits.outputBytes} bytes`);
    this.#out.push(text);
  }

  #walk(dot: GoValue, node: Node): 'break' | 'continue' | undefined {
    this.at(node);
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'action':
        this.#action(dot, node.pipe, node);
        return undefined;
      case 'break':
      case 'continue':
        return node.kind;
      case 'list':
        return this.#list(dot, node);
      case 'template':
        this.#call(dot, node);
        return undefined;
      case 'range':
        return this.#range(dot, node);
      default:
        return this.#ifOrWith(dot, node);
    }
  }

  #list(dot: GoValue, list: List): 'break' | 'continue' | undefined {
    for (const node of list.nodes) {
      const jump = this.#walk(dot, node);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  #action(dot: GoValue, pipe: Pipe, node: Node): void {
    const value = this.pipeline(dot, pipe);
    if (pipe.declared.length > 0) return;
    this.at(node);
    const inner = unbox(value);
    if (inner instanceof Channel) this.fail(`can't print ${nodeText(node)} of type ${inner.type}`);
    this.#write(printed(inner));
  }

  #ifOrWith(dot: GoValue, node: Branch): 'break' | 'continue' | undefined {
    const mark = this.#variables.length;
    const value = this.pipeline(dot, node.pipe);
    let jump: 'break' | 'continue' | undefined;
    if (isTrue(value)) jump = this.#walk(node.kind === 'with' ? value : dot, node.list);
    else if (node.elseList !== undefined) jump = this.#walk(dot, node.elseList);
    this.#variables.length = mark;
    return jump;
  }

  #range(dot: GoValue, node: Branch): 'break' | 'continue' | undefined {
    const outer = this.#variables.length;
    const value = unbox(this.pipeline(dot, node.pipe));
    const mark = this.#variables.length;
    let ran = false;
    let jump: 'break' | 'continue' | undefined;
    for (const [index, element] of this.#elements(value, node.pipe)) {
      ran = true;
      this.#setRangeVariables(node.pipe, index, element);
      const stop = this.#walk(element, node.list) === 'break';
      this.#variables.length = mark;
      if (stop) break;
    }
    if (!ran && node.elseList !== undefined) jump = this.#walk(dot, node.elseList);
    this.#variables.length = outer;
    return jump;
  }

  *#elements(value: GoValue, pipe: Pipe): Iterable<readonly [GoValue, GoValue]> {
    if (value === undefined) return;
    if (value instanceof GoSlice) {
      for (const [i, item] of value.items.entries()) yield [BigInt(i), elementOf(value, item)];
    } else if (value instanceof GoMap) {
      for (const key of sortedKeys(value.entries)) yield [key, elementOf(value, value.entries.get(key))];
    } else if (value instanceof Channel) {
      let i = 0n;
      for (const item of value.values) yield [i++, item];
    } else yield* this.#integers(value, pipe);
  }

  *#integers(value: GoValue, pipe: Pipe): Iterable<readonly [GoValue, GoValue]> {
    const end = integerOf(value);
    if (end === undefined) this.fail(`range can't iterate over ${formatValue(value)}`);
    if (pipe.declared.length > 1)
      this.fail(`can't use ${formatValue(value)} to iterate over more than one variable`);
    for (let i = 0n; i < end; i++) yield [undefined, value instanceof Sized ? new Sized(value.type, i) : i];
  }

  #setRangeVariables(pipe: Pipe, index: GoValue, element: GoValue): void {
    const [first, second] = pipe.declared;
    if (first === undefined) return;
    if (second === undefined) this.#setVariable(pipe, first.names[0] ?? '', 1, element);
    else {
      this.#setVariable(pipe, first.names[0] ?? '', 2, index);
      this.#setVariable(pipe, second.names[0] ?? '', 1, element);
    }
  }

  #setVariable(pipe: Pipe, name: string, fromTop: number, value: GoValue): void {
    const variable = pipe.isAssign ? undefined : this.#variables.at(-fromTop);
    if (variable !== undefined) variable.value = value;
    else this.#assign(name, value);
  }

  #assign(name: string, value: GoValue): void {
    const variable = this.#variables.findLast((v) => v.name === name);
    if (variable === undefined) this.fail(`undefined variable: ${name}`);
    variable.value = value;
  }

  #call(dot: GoValue, node: Node & { kind: 'template' }): void {
    if (!this.run.templates.has(node.name)) this.fail(`template ${quote(node.name)} not defined`);
    if (this.depth >= this.run.limits.depth)
      this.fail(`exceeded maximum template depth (${this.run.limits.depth})`);
    const argument = node.pipe === undefined ? undefined : this.pipeline(dot, node.pipe);
    const written = this.run.output;
    const text = executeNamed(this.run, node.name, argument, this.depth + 1);
    this.run.output = written;
    this.#write(text);
  }

  /** Evaluates a pipeline; its declared variables stay on the stack until the enclosing block ends. */
  pipeline(dot: GoValue, pipe: Pipe): GoValue {
    this.at(pipe);
    let value: Final = missing;
    for (const command of pipe.commands) value = unbox(this.#command(dot, command, value));
    const result = value === missing ? undefined : value;
    for (const { names } of pipe.declared) {
      if (pipe.isAssign) this.#assign(names[0] ?? '', result);
      else this.#variables.push({ name: names[0] ?? '', value: result });
    }
    return result;
  }

  #command(dot: GoValue, command: Command, final: Final): GoValue {
    const [first] = command.args;
    if (first === undefined) return undefined;
    const hasArguments = command.args.length > 1 || final !== missing;
    switch (first.kind) {
      case 'field':
      case 'chain':
        return this.#fields(dot, first, command.args.slice(1), final);
      case 'variable':
        if (first.names.length === 1) {
          this.at(first);
          if (hasArguments) this.fail(`can't give argument to non-function ${nodeText(first)}`);
        }
        return this.#fields(dot, first, command.args.slice(1), final);
      case 'identifier':
        return this.callNamed(dot, first.name, first, command, command.args.slice(1), final);
    }
    if (first.kind !== 'pipe') this.at(first);
    if (hasArguments) this.fail(`can't give argument to non-function ${nodeText(first)}`);
    if (first.kind === 'nil') this.fail('nil is not a command');
    return this.operand(dot, first);
  }

  /** The value of an operand that gets no arguments. */
  operand(dot: GoValue, node: Operand): GoValue {
    switch (node.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return undefined;
      case 'bool':
      case 'string':
        return node.value;
      case 'number':
        return this.#idealConstant(node.constant, node);
      case 'pipe':
        return this.pipeline(dot, node);
      case 'identifier':
        return this.callNamed(dot, node.name, node, node, [], missing);
      default:
        return this.#fields(dot, node, [], missing);
    }
  }

  #idealConstant(constant: NumberConstant, node: Operand): GoValue {
    this.at(node);
    const { text, complex, float, int } = constant;
    if (complex !== undefined) return new Complex(complex.re, complex.im);
    const looksFloat = !/^0[xX][^pP]*$/.test(text) && !text.startsWith("'") && /[.eEpP]/.test(text);
    if (float !== undefined && looksFloat) return float;
    if (int === undefined) this.fail(`${text} overflows int`);
    return int;
  }

  callNamed(
    dot: GoValue,
    name: string,
    node: Operand,
    command: Command | Operand,
    args: readonly Operand[],
    final: Final,
  ): GoValue {
    this.at(node);
    const own = this.run.functions.get(name);
    const fn = own ?? builtins.get(name);
    if (fn === undefined) this.fail(`${quote(name)} is not a defined function`);
    return callFunction(this, { fn, name, dot, node: command, args, final, isBuiltin: own === undefined });
  }

  #fields(
    dot: GoValue,
    node: Operand & { kind: 'field' | 'variable' | 'chain' },
    args: readonly Operand[],
    final: Final,
  ): GoValue {
    this.at(node);
    let receiver = dot;
    let { names } = node;
    if (node.kind === 'variable') {
      receiver = this.#variables.findLast((v) => v.name === names[0])?.value;
      names = names.slice(1);
    } else if (node.kind === 'chain') {
      if (node.node.kind === 'nil') this.fail(`indirection through explicit nil in ${nodeText(node)}`);
      receiver = this.operand(dot, node.node);
    }
    for (const [i, name] of names.entries()) {
      const last = i === names.length - 1;
      receiver = fieldOf(this, {
        receiver,
        name,
        node,
        dot,
        args: last ? args : [],
        final: last ? final : missing,
      });
    }
    return receiver;
  }
}
