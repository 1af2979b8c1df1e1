import { callFunction } from './call.ts';
import type { Operand } from './nodes.ts';
import { goFloat } from './number.ts';
import { quote } from './quote.ts';
import { type Evaluator, type Final, missing } from './run.ts';
import { elementOf, elementType, typeName, zeroOf } from './types.ts';
import {
  Boxed,
  FunctionError,
  GoFunction,
  GoMap,
  GoStruct,
  type GoValue,
  JsonNumber,
  NilPointer,
  Sized,
} from './values.ts';

export interface FieldAccess {
  readonly receiver: GoValue;
  readonly name: string;
  readonly node: Operand;
  readonly dot: GoValue;
  readonly args: readonly Operand[];
  readonly final: Final;
}

/** `.name` of a value: a method, a struct field or a map entry, with Go's rules for nil and missing ones. */
export function fieldOf(execution: Evaluator, access: FieldAccess): GoValue {
  const { receiver, name } = access;
  if (receiver === undefined) {
    if (execution.run.missingKeyIsError === true) execution.fail(`nil data; no entry for key ${quote(name)}`);
    return undefined;
  }
  const type = typeName(receiver);
  const value = receiver instanceof Boxed ? receiver.value : receiver;
  if (value === undefined) execution.fail(`nil pointer evaluating ${type}.${name}`);
  const method = methodOf(value, name);
  if (method !== undefined) return callFunction(execution, { ...access, fn: method, isBuiltin: false });
  const hasArguments = access.args.length > 0 || access.final !== missing;
  if (value instanceof GoStruct && value.fields.has(name)) {
    if (hasArguments) execution.fail(`${name} has arguments but cannot be invoked as function`);
    return value.fields.get(name);
  }
  if (value instanceof GoMap) {
    if (hasArguments) execution.fail(`${name} is not a method but has arguments`);
    return mapEntry(execution, value, name);
  }
  if (value instanceof NilPointer && value.fields.has(name))
    execution.fail(`nil pointer evaluating ${type}.${name}`);
  return execution.fail(`can't evaluate field ${name} in type ${type}`);
}

function mapEntry(execution: Evaluator, map: GoMap, name: string): GoValue {
  if (map.entries.has(name)) return elementOf(map, map.entries.get(name));
  if (execution.run.missingKeyIsError === true) execution.fail(`map has no entry for key ${quote(name)}`);
  return zeroOf(elementType(map.type));
}

function methodOf(value: GoValue, name: string): GoFunction | undefined {
  if (value instanceof GoStruct) return value.methods.get(name);
  return value instanceof JsonNumber ? jsonNumberMethod(value, name) : undefined;
}

/** json.Number has three methods, and templates use them: `.Data.port.Int64`. */
function jsonNumberMethod({ text }: JsonNumber, name: string): GoFunction | undefined {
  switch (name) {
    case 'String':
      return new GoFunction([], 'string', () => text);
    case 'Int64':
      return new GoFunction([], 'int64', () => {
        if (!/^-?\d+$/.test(text))
          throw new FunctionError(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
        return new Sized('int64', BigInt(text));
      });
    case 'Float64':
      return new GoFunction([], 'float64', () => goFloat(text) ?? Number(text));
    default:
      return undefined;
  }
}
