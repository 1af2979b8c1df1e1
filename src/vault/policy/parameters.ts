import type { Fields } from '../core/fields.ts';
import { isListing } from '../core/listing.ts';
import type { Operation } from '../core/request.ts';
import type { ParameterRules, PathRule } from './policy.ts';

type Rules = Pick<PathRule, 'allowed' | 'denied' | 'required'>;

/**
 * Whether the request's parameters are within the rule; lists and deletes have none. Every parameter is judged as it was
 * sent, also `X` beside `x`: handlers read names as they are written.
 */
export function checkParameters(
  rule: Rules,
  { operation, data }: { readonly operation: Operation; readonly data: Fields },
): boolean {
  if (isListing(operation) || operation === 'delete') return true;
  if (rule.required?.some((name) => !Object.hasOwn(data, name)) === true) return false;
  const given = Object.entries(data);
  if (given.length === 0) return true;
  return !isDenied(rule.denied, given) && isAllowed(rule.allowed, given);
}

type Given = readonly (readonly [string, unknown])[];

function isDenied(denied: ParameterRules | undefined, given: Given): boolean {
  if (denied === undefined) return false;
  if (Object.hasOwn(denied, '*')) return true;
  return given.some(([name, value]) => {
    const values = valuesOf(denied, name);
    return values !== undefined && (fits(values, value) || values.includes(value));
  });
}

function isAllowed(allowed: ParameterRules | undefined, given: Given): boolean {
  if (allowed === undefined || Object.keys(allowed).length === 0) return true;
  const others = Object.hasOwn(allowed, '*');
  if (others && Object.keys(allowed).length === 1) return true;
  return given.every(([name, value]) => {
    const values = valuesOf(allowed, name);
    return values === undefined ? others : fits(values, value);
  });
}

const valuesOf = (rules: ParameterRules, name: string): readonly unknown[] | undefined => {
  const key = name.toLowerCase();
  return Object.hasOwn(rules, key) ? rules[key] : undefined;
};

/**
 * An empty list fits every value; texts may start or end in `*`. A number fits nothing, as upstream has it (there a
 * policy's numbers and a request's are of two types), so that no list allows more here; what is denied is found all the same.
 */
function fits(values: readonly unknown[], value: unknown): boolean {
  if (values.length === 0) return true;
  return values.some((wanted) => {
    if (typeof wanted === 'number') return false;
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
