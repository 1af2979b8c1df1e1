import type { TemplateLimits } from './limits.ts';
import type { Command, Node, Operand } from './nodes.ts';
import type { Templates } from './parse.ts';
import type { GoFunction, GoValue } from './values.ts';

/** Marks "nothing came down the pipe", which Go tells apart from a nil that came. */
export const missing: unique symbol = Symbol('missing');
export type Final = GoValue | typeof missing;

/** One evaluation of a parsed file, shared by all nested executions. */
export interface Run {
  /** The template's text as it was parsed, for error positions. */
  readonly text: string;
  readonly templates: Templates;
  readonly functions: ReadonlyMap<string, GoFunction>;
  /** `missingkey=error`: a key that a map lacks is an error instead of `<no value>`. */
  readonly missingKeyIsError?: boolean;
  readonly limits: TemplateLimits;
  steps: number;
  output: number;
}

/** What calls and field accesses need of the execution they happen in. */
export interface Evaluator {
  readonly run: Run;
  /** Remembers the node that an error would be about. */
  at(node: Node | Operand | Command): void;
  fail(message: string): never;
  /** The value of an operand that gets no arguments. */
  operand(dot: GoValue, node: Operand): GoValue;
}
