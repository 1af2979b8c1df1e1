import { TemplateError } from './errors.ts';
import { evaluateTemplate, executeNamed } from './evaluate.ts';
import type { FunctionTable } from './functions/define.ts';
import type { Environment } from './functions/environment.ts';
import { isKnownFunction, templateFunctions } from './functions/table.ts';
import type { Brain } from './functions/vault.ts';
import { defaultLimits, type TemplateLimits } from './limits.ts';
import { parseTemplate } from './parse.ts';
import type { Run } from './run.ts';
import { fromUtf8, type GoValue } from './values.ts';

export interface RenderOptions {
  readonly contents: string;
  readonly leftDelimiter?: string;
  readonly rightDelimiter?: string;
  readonly missingKeyIsError?: boolean;
  readonly denylist?: readonly string[];
  readonly limits?: TemplateLimits;
  /** File that is written; where `pkiCert` and `istioCA` find what they issued before. */
  readonly destination?: string | undefined;
  /** `file` reads only below it. */
  readonly sandboxPath?: string | undefined;
  readonly brain: Brain;
  readonly env: Environment;
  /** From `rareFunctions`, for a template that uses some. */
  readonly more?: FunctionTable | undefined;
  readonly now: () => number;
}

/**
 * Parses and executes one template of Vault Agent (consul-template) once, with what the brain knows.
 * @returns the bytes it prints
 * @throws TemplateError
 */
export function renderTemplate(options: RenderOptions): Buffer {
  const text = fromUtf8(options.contents);
  let run: Run | undefined;
  const functions = templateFunctions({
    ...options,
    executeTemplate: (name, dot) => {
      if (run === undefined) throw new TemplateError('template-execute', 'template is not parsed yet');
      return executeNamed(run, name, dot as GoValue, 1);
    },
  });
  const templates = parseTemplate(text, {
    leftDelimiter: fromUtf8(options.leftDelimiter ?? ''),
    rightDelimiter: fromUtf8(options.rightDelimiter ?? ''),
    isFunction: (name) => isKnownFunction(functions, name),
  });
  run = {
    text,
    templates,
    functions,
    missingKeyIsError: options.missingKeyIsError === true,
    limits: options.limits ?? defaultLimits,
    steps: 0,
    output: 0,
  };
  return Buffer.from(evaluateTemplate(run), 'latin1');
}
