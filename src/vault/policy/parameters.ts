import type { Fields } from '../core/fields.ts';
import type { Operation } from '../core/request.ts';
import type { ParameterRules, PathRule } from './policy.ts';

type Rules = Pick<PathRule, 'allowed' | 'denied' | 'required'>;

/** Whether the request's parameters are within the rule; lists and deletes have none. */
export function checkParameters(
  rule: Rules,
  { operation, data }: { readonly operation: Operation; readonly data: Fields },
): boolean {
  if (operation === 'list' || operation === 'delete') return true;
  const given = new Map(Object.entries(data).map(([name, value]) => [name.toLowerCase(), value]));
  if (rule.required?.some((name) => !given.has(name)) === true) return false;
  if (given.size === 0) return true;
  return !isDenied(rule.denied, given) && isAllowed(rule.allowed, given);
}

function isDenied(denied: ParameterRules | undefined, given: ReadonlyMap<string, unknown>): boolean {
  if (denied === undefined) return false;
  if ('*' in denied) return true;
  return [...given].some(([name, value]) => Object.hasOwn(denied, name) && fits(denied[name] ?? [], value));
}

function isAllowed(allowed: ParameterRules | undefined, given: ReadonlyMap<string, unknown>): boolean {
  if (allowed === undefined || Object.keys(allowed).length === 0) return true;
  const others = '*' in allowed;
  if (others && Object.keys(allowed).length === 1) return true;
  return [...given].every(([name, value]) => {
    if (!Object.hasOwn(allowed, name)) return others;
    return fits(allowed[name] ?? [], value);
  });
}

/** An empty list fits every value; texts may start or end in `*`. */
function fits(values: readonly unknown[], value: unknown): boolean {
  if (values.length === 0) return true;
  return values.some((wanted) => {
    if (typeof wanted === 'string' && typeof value === 'string') return globMatches(wanted, value);
    return JSON.stringify(wanted) === JSON.stringify(value);
  });
}

/** `*` at the start, the end or both; nothing else is special. */
export function globMatches(pattern: string, text: string): boolean {
  const [open, close] = [pattern.startsWith('*'), pattern.endsWith('*') && pattern.length > 1];
  if (pattern === '*') return true;
  const core = pattern.slice(open ? 1 : 0, close ? -1 : undefined);
  if (open && close) return text.includes(core);
  if (open) return text.endsWith(core);
  return close ? text.startsWith(core) : text === core;
}
