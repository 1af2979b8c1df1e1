import { builtins } from '../builtins.ts';
import type { GoFunction } from '../values.ts';
import { GoFunction as Fn, FunctionError } from '../values.ts';
import type { FunctionTable } from './define.ts';
import { encodingFunctions } from './encoding.ts';
import { type Environment, environmentFunctions } from './environment.ts';
import { mapFunctions } from './maps.ts';
import { mathFunctions } from './math.ts';
import { parseFunctions } from './parse-values.ts';
import { textFunctions } from './text.ts';
import { type VaultFunctionOptions, vaultFunctions } from './vault.ts';
import { writeFileFunctions } from './write-to-file.ts';

export interface FunctionContext extends VaultFunctionOptions {
  readonly env: Environment;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Names, `*` as a wildcard, that answer `function is disabled`. */
  readonly denylist?: readonly string[];
  /** Functions that are loaded only for templates that use them. */
  readonly more?: FunctionTable | undefined;
  /** Runs another template of the same file; only known once that is parsed. */
  readonly executeTemplate: (name: string, dot: unknown) => string;
}

/** All functions of one evaluation by name, without text/template's own. */
export function templateFunctions(context: FunctionContext): Map<string, GoFunction> {
  const table = new Map<string, GoFunction>(
    Object.entries({
      ...textFunctions,
      ...parseFunctions,
      ...encodingFunctions,
      ...mathFunctions,
      ...mapFunctions(),
      ...environmentFunctions(context.env, context.now),
      ...vaultFunctions(context),
      ...writeFileFunctions,
      ...context.more,
      executeTemplate: executeTemplateFunction(context),
    }),
  );
  for (const pattern of context.denylist ?? []) deny(table, pattern);
  return table;
}

function executeTemplateFunction(context: FunctionContext): GoFunction {
  return new Fn(['string', '...interface {}'], 'string', (a) => {
    if (a.length > 2)
      throw new FunctionError(
        `executeTemplate: wrong number of arguments, expected 1 or 2, but got ${a.length}`,
      );
    return context.executeTemplate(a.text(0), a.value(1));
  });
}

function deny(table: Map<string, GoFunction>, pattern: string): void {
  const glob = new RegExp(
    `^${pattern
      .split('*')
      .map((p) => p.replace(/\W/g, '\\$&'))
      .join('.*')}$`,
  );
  for (const name of table.keys()) {
    if (!glob.test(name)) continue;
    table.set(
      name,
      new Fn(['...string'], 'string', () => {
        throw new FunctionError('function is disabled');
      }),
    );
  }
}

/** Is `name` a function that a template may call? */
export function isKnownFunction(table: ReadonlyMap<string, GoFunction>, name: string): boolean {
  return table.has(name) || builtins.has(name);
}
