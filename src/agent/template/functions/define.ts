import { type Args, GoFunction, type GoValue } from '../values.ts';

/** A row of a function table: `define(['string', '...string'], 'string', (args) => …)`. */
export function define(params: readonly string[], result: string, call: (args: Args) => GoValue): GoFunction {
  return new GoFunction(params, result, call);
}

export type FunctionTable = Readonly<Record<string, GoFunction>>;
