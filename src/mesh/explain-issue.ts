import type { z } from 'zod';
import { nearestWord } from '../lib/nearest-word.ts';
import { knownKeys } from './json-schema.ts';

type Issue = z.core.$ZodIssue;

export interface Explained {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/**
 * One line per problem, in the words of somebody who writes YAML: what, and what may stand there.
 * @param name what a person calls the place of a path
 */
export function explainIssue(issue: Issue, name: (path: readonly PropertyKey[]) => string): Explained[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key, name));
  const { path } = issue;
  return [{ path, text: `${name(path)} ${why(issue)}` }];
}

function unknownKey(
  parent: readonly PropertyKey[],
  key: string,
  name: (path: readonly PropertyKey[]) => string,
): Explained {
  const known = knownKeys(parent);
  const path = [...parent, key];
  return { path, text: `${name(path)} is not known here${guess(key, known)}   (known: ${known.join(', ')})` };
}

function why(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_value':
      return wrongWord(issue.values.map(String), issue.input);
    case 'invalid_type':
      return isZods(issue) ? wrongType(issue.expected, issue) : lower(issue.message);
    case 'too_small':
      if (isZods(issue) && issue.origin === 'array') return `needs at least ${issue.minimum}`;
      return isZods(issue)
        ? `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
        : lower(issue.message);
    case 'too_big':
      return isZods(issue)
        ? `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`
        : lower(issue.message);
    default:
      return lower(issue.message);
  }
}

function wrongWord(allowed: readonly string[], found: unknown): string {
  const text = `must be ${allowed.join(' or ')}`;
  return typeof found === 'string' && allowed.length > 1 ? `${text}${guess(found, allowed)}` : text;
}

/** What stands in a file for each of zod's types. */
const things: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list, each entry behind a "-"',
};

function wrongType(expected: string, { input, path }: Issue): string {
  if (input === undefined) return 'is missing';
  if (path.length === 0 && input === null) return 'is empty; meshroot init writes one';
  if (expected === 'object' || expected === 'record') {
    const known = knownKeys(path);
    return `must be a block of keys${shorthand(path)}${known.length === 0 ? '' : `   (known: ${known.join(', ')})`}`;
  }
  const quoted = /^(number|boolean)$/.test(typeof input) ? `: write "${String(input)}" in quotes` : '';
  return `must be ${things[expected] ?? expected}${expected === 'string' ? quoted : ''}`;
}

/** `root: offline` is the one place where a word does for a block. */
const shorthand = (path: readonly PropertyKey[]): string =>
  path.length === 1 && path[0] === 'root' ? ', or the word offline' : '';

/** A message that the schema did not write itself. */
const isZods = ({ message }: Issue): boolean => /^(Invalid input|Too (small|big)): /.test(message);

function guess(word: string, known: readonly string[]): string {
  const near = nearestWord(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
