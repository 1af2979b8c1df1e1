import { messageOf } from '../../lib/errors.ts';
import { TemplateError } from './errors.ts';
import { type Command, nodeText, type Operand } from './nodes.ts';
import { type Evaluator, type Final, missing } from './run.ts';
import { canBeNil, isAssignable, isTrue, typeName, zeroOf } from './types.ts';
import { Args, Boxed, Complex, type GoFunction, type GoValue, Sized, unbox } from './values.ts';

export interface FunctionCall {
  readonly fn: GoFunction;
  readonly name: string;
  readonly dot: GoValue;
  /** Where an error of the function itself is reported. */
  readonly node: Operand | Command;
  readonly args: readonly Operand[];
  /** The value that came down the pipe, the last argument. */
  readonly final: Final;
  readonly isBuiltin: boolean;
}

/** Checks arity and types as Go's reflection does, then calls. */
export function callFunction(execution: Evaluator, call: FunctionCall): GoValue {
  const { fn, name, args, final } = call;
  const given = args.length + (final === missing ? 0 : 1);
  const fixed = fn.variadic ? fn.params.length - 1 : args.length;
  if (fn.variadic) {
    if (given < fixed)
      execution.fail(`wrong number of args for ${name}: want at least ${fixed} got ${args.length}`);
  } else if (given !== fn.params.length)
    execution.fail(`wrong number of args for ${name}: want ${fn.params.length} got ${given}`);
  if (call.isBuiltin && (name === 'and' || name === 'or')) return shortCircuit(execution, call);
  const values = args.map((arg, i) => argument(execution, call.dot, typeAt(fn, i), arg));
  if (final !== missing) values.push(validated(execution, final, typeAt(fn, values.length)));
  if (call.isBuiltin && name === 'call') values.unshift(calleeText(call));
  return invoke(execution, call, values);
}

/** How `call` names what it was told to call. */
function calleeText({ args, final }: FunctionCall): string {
  const [callee] = args;
  if (callee !== undefined) return nodeText(callee);
  return typeof final === 'string' ? final : '';
}

/** Type of the i-th argument; the last parameter's for all variadic ones. */
function typeAt(fn: GoFunction, i: number): string {
  return fn.params[Math.min(i, fn.params.length - 1)] ?? 'interface {}';
}

function invoke(execution: Evaluator, call: FunctionCall, values: readonly GoValue[]): GoValue {
  try {
    const result = call.fn.call(new Args(values));
    return result === undefined && call.fn.result === 'interface {}' ? new Boxed(undefined) : result;
  } catch (error) {
    if (error instanceof TemplateError && error.code === 'template-limit') throw error;
    execution.at(call.node);
    return execution.fail(`error calling ${call.name}: ${messageOf(error)}`);
  }
}

/** `and` and `or` stop at the first argument that decides, and return it. */
function shortCircuit(execution: Evaluator, call: FunctionCall): GoValue {
  let value: GoValue;
  for (const arg of call.args) {
    value = argument(execution, call.dot, 'reflect.Value', arg);
    if (isTrue(value) === (call.name === 'or')) return value;
  }
  return call.final === missing ? value : call.final;
}

/** Go's validateType: the value as the parameter's type, or its error. */
function validated(execution: Evaluator, value: GoValue, type: string): GoValue {
  if (value === undefined) {
    if (canBeNil(type)) return zeroOf(type);
    return execution.fail(`invalid value; expected ${type}`);
  }
  if (isAssignable(value, type)) return value;
  const inner = unbox(value);
  if (inner !== undefined && isAssignable(inner, type)) return inner;
  return execution.fail(
    `wrong type for value; expected ${type}; got ${typeName(inner === undefined ? value : inner)}`,
  );
}

function argument(execution: Evaluator, dot: GoValue, type: string, node: Operand): GoValue {
  execution.at(node);
  switch (node.kind) {
    case 'nil':
      return canBeNil(type) ? zeroOf(type) : execution.fail(`cannot assign nil to ${type}`);
    case 'bool':
    case 'string':
    case 'number':
      return literal(execution, dot, type, node);
    default:
      return validated(execution, execution.operand(dot, node), type);
  }
}

function literal(execution: Evaluator, dot: GoValue, type: string, node: Operand): GoValue {
  if (type === 'interface {}' || type === 'reflect.Value') return execution.operand(dot, node);
  const constant = node.kind === 'number' ? node.constant : undefined;
  switch (type) {
    case 'bool':
      return node.kind === 'bool' ? node.value : execution.fail(`expected bool; found ${nodeText(node)}`);
    case 'string':
      return node.kind === 'string' ? node.value : execution.fail(`expected string; found ${nodeText(node)}`);
    case 'int':
      return constant?.int ?? execution.fail(`expected integer; found ${nodeText(node)}`);
    case 'int64':
    case 'int32':
      return new Sized(type, constant?.int ?? execution.fail(`expected integer; found ${nodeText(node)}`));
    case 'uint64':
    case 'uint32':
      return new Sized(
        type,
        constant?.uint ?? execution.fail(`expected unsigned integer; found ${nodeText(node)}`),
      );
    case 'float64':
      return constant?.float ?? execution.fail(`expected float; found ${nodeText(node)}`);
    case 'complex128':
      return constant?.complex === undefined
        ? execution.fail(`expected complex; found ${nodeText(node)}`)
        : new Complex(constant.complex.re, constant.complex.im);
    default:
      return execution.fail(`can't handle ${nodeText(node)} for arg of type ${type}`);
  }
}
