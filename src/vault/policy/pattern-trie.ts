import type { Granted } from './merge-rules.ts';

/** A rule that has a wildcard, with what decides between two that fit. */
interface Pattern {
  readonly text: string;
  readonly granted: Granted;
  /** Position of the first wildcard. */
  readonly firstWildcard: number;
  readonly isGlob: boolean;
  readonly plusCount: number;
}

/** Patterns by segment. */
export interface PatternNode {
  readonly children: Map<string, PatternNode>;
  plus: PatternNode | undefined;
  /** The pattern that ends here without `*`. */
  end: Pattern | undefined;
  /** Patterns that end in `*`, by what stands before it in this segment (perhaps nothing). */
  readonly globs: Map<string, Pattern>;
}

const hasSegmentWildcard = (text: string): boolean =>
  text === '+' || text.includes('/+') || text.startsWith('+/');

/** Whether a path text is more than the one path: upstream counts `a/+b` among them, which fits `a/+b` alone. */
export const isPattern = (text: string): boolean => text.endsWith('*') || hasSegmentWildcard(text);
/** Whether `*` at its end is all that is special. */
export const isPrefix = (text: string): boolean => text.endsWith('*') && !hasSegmentWildcard(text);

export function patternNode(): PatternNode {
  return { children: new Map(), plus: undefined, end: undefined, globs: new Map() };
}

export function insertPattern(root: PatternNode, text: string, granted: Granted): void {
  const segments = text.split('/');
  const isGlob = text.endsWith('*');
  const pattern: Pattern = {
    text,
    granted,
    firstWildcard: hasSegmentWildcard(text) ? text.indexOf('+') : text.length - 1,
    isGlob,
    plusCount: segments.filter((segment) => segment === '+').length,
  };
  let node = root;
  for (const segment of isGlob ? segments.slice(0, -1) : segments) node = child(node, segment);
  if (isGlob) node.globs.set((segments.at(-1) ?? '').slice(0, -1), pattern);
  else node.end = pattern;
}

function child(node: PatternNode, segment: string): PatternNode {
  if (segment === '+') {
    node.plus ??= patternNode();
    return node.plus;
  }
  const known = node.children.get(segment);
  if (known !== undefined) return known;
  const made = patternNode();
  node.children.set(segment, made);
  return made;
}

/** The one pattern that decides about `path`, or undefined. */
export function bestPattern(root: PatternNode, path: string): Granted | undefined {
  return search(root, path.split('/'), 0, undefined)?.granted;
}

function search(
  node: PatternNode,
  segments: readonly string[],
  depth: number,
  found: Pattern | undefined,
): Pattern | undefined {
  const segment = segments[depth];
  if (segment === undefined) return better(found, node.end);
  let best = found;
  if (node.globs.size > 0) {
    for (let length = 0; length <= segment.length; length++) {
      best = better(best, node.globs.get(segment.slice(0, length)));
    }
  }
  const literal = node.children.get(segment);
  if (literal !== undefined) best = search(literal, segments, depth + 1, best);
  if (node.plus !== undefined) best = search(node.plus, segments, depth + 1, best);
  return best;
}

/** First wildcard further right; then without `*`; then fewer `+`; then longer; then lexicographically larger. */
function better(a: Pattern | undefined, b: Pattern | undefined): Pattern | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.firstWildcard !== b.firstWildcard) return a.firstWildcard > b.firstWildcard ? a : b;
  if (a.isGlob !== b.isGlob) return a.isGlob ? b : a;
  if (a.plusCount !== b.plusCount) return a.plusCount < b.plusCount ? a : b;
  if (a.text.length !== b.text.length) return a.text.length > b.text.length ? a : b;
  return a.text > b.text ? a : b;
}
