import type { Fields } from '../core/fields.ts';
import { isListing } from '../core/listing.ts';
import type { Operation } from '../core/request.ts';
import { listLimit } from './list-limit.ts';
import { type Granted, grantedBy, mergeRules } from './merge-rules.ts';
import { checkParameters } from './parameters.ts';
import {
  bestPattern,
  insertPattern,
  isPattern,
  isPrefix,
  type PatternNode,
  patternNode,
} from './pattern-trie.ts';
import type { Capability, Policy } from './policy.ts';

export interface AclQuestion {
  readonly operation: Operation;
  readonly path: string;
  readonly data: Fields;
  readonly needsSudo: boolean;
  readonly wrapTtl: number | undefined;
}

export interface AclAnswer {
  readonly allowed: boolean;
  /** Names of the policies that give what was asked for. */
  readonly granting: readonly string[];
  /** Of a list: how many names it may give; 0 for all. */
  readonly limit?: number;
}

/**
 * A token's policies, compiled: a map of exact paths and a trie of patterns, so that a question costs the length of
 * its path and not the number of rules. One rule decides; a weaker match is never asked.
 */
export class Acl {
  readonly isRoot: boolean;
  /** Milliseconds: from then on it says too much, since something in it has expired. */
  readonly until: number;
  readonly #exact = new Map<string, Granted>();
  readonly #prefixes = new Map<string, Granted>();
  readonly #patterns: PatternNode = patternNode();

  /** @param now milliseconds */
  constructor(policies: readonly Policy[], now: number) {
    this.isRoot = policies.some(({ name }) => name === 'root');
    const ends = policies.flatMap(({ rules, expires }) => [expires, ...rules.map((rule) => rule.expires)]);
    this.until = ends.reduce<number>(
      (first, end) => (end !== undefined && end > now ? Math.min(first, end) : first),
      Number.POSITIVE_INFINITY,
    );
    for (const [path, granted] of mergeRules(policies, now)) {
      if (isPattern(path)) insertPattern(this.#patterns, path, granted);
      else this.#exact.set(path, granted);
      if (isPrefix(path)) this.#prefixes.set(path.slice(0, -1), granted);
    }
  }

  allows(question: AclQuestion): AclAnswer {
    const { operation, path, data } = question;
    if (this.isRoot) return { allowed: true, granting: ['root'], ...rootLimit(question) };
    const rule = this.#rule(path, isListing(operation));
    if (rule?.capabilities.has(operation) !== true) return { allowed: false, granting: [] };
    const limit = isListing(operation) ? listLimit(rule, data) : 0;
    const allowed =
      (!question.needsSudo || rule.capabilities.has('sudo')) &&
      checkWrapping(rule, question.wrapTtl) &&
      checkParameters(rule, question) &&
      limit !== 'denied';
    if (!allowed) return { allowed, granting: [] };
    return { allowed, granting: grantedBy(rule, operation), ...(limit === 0 ? {} : { limit }) };
  }

  /** As sys/capabilities shows them. */
  capabilities(path: string): readonly string[] {
    if (this.isRoot) return ['root'];
    const rule = this.#rule(path, path.endsWith('/'));
    const found: Capability[] = [...(rule?.capabilities ?? [])].sort();
    return found.length === 0 || found.includes('deny') ? ['deny'] : found;
  }

  /** Whether a rule says `deny` of the path, which is more than that none says anything. */
  isDenied(path: string): boolean {
    return this.#rule(path, false)?.capabilities.has('deny') === true;
  }

  /** Whether anything at or below `prefix` is granted: the preflight of kv clients. */
  grantsBelow(prefix: string): boolean {
    if (this.isRoot) return true;
    const bare = prefix.replace(/\/$/, '');
    if (usable(this.#rule(bare, true)) || usable(this.#rule(`${bare}/`, true))) return true;
    for (const [path, granted] of this.#exact) {
      if (path.startsWith(`${bare}/`) && usable(granted)) return true;
    }
    return anyBelow(this.#patterns, bare === '' ? [] : bare.split('/'));
  }

  /** The rules by kind, for sys/internal/ui/resultant-acl. */
  exactPaths(): ReadonlyMap<string, Granted> {
    return this.#exact;
  }

  /** Those that end in `*` and have no other wildcard, without it. */
  prefixPaths(): ReadonlyMap<string, Granted> {
    return this.#prefixes;
  }

  #rule(path: string, isList: boolean): Granted | undefined {
    const bare = isList && path.endsWith('/') ? path.slice(0, -1) : undefined;
    if (bare === undefined) return this.#exact.get(path) ?? bestPattern(this.#patterns, path);
    const exact = this.#exact.get(path) ?? this.#exact.get(bare);
    if (exact !== undefined) return exact;
    // Upstream asks for `a` only where no pattern fits `a/`. A pattern that denies `a` keeps its list shut here, too.
    const without = bestPattern(this.#patterns, bare);
    if (without?.capabilities.has('deny') === true) return without;
    return bestPattern(this.#patterns, path) ?? without;
  }
}

function usable(rule: Granted | undefined): boolean {
  return rule !== undefined && rule.capabilities.size > 0 && !rule.capabilities.has('deny');
}

function anyBelow(node: PatternNode, segments: readonly string[]): boolean {
  const [head, ...rest] = segments;
  if (head === undefined) return anyUsable(node);
  const next = [node.children.get(head), node.plus];
  return next.some((child) => child !== undefined && anyBelow(child, rest));
}

function anyUsable(node: PatternNode): boolean {
  if (usable(node.end?.granted)) return true;
  for (const { granted } of node.globs.values()) if (usable(granted)) return true;
  const children = [...node.children.values(), ...(node.plus === undefined ? [] : [node.plus])];
  return children.some(anyUsable);
}

function checkWrapping(
  { minWrappingTtl: min, maxWrappingTtl: max }: Granted,
  ttl: number | undefined,
): boolean {
  if (min !== undefined && min > 0 && (ttl === undefined || ttl < min)) return false;
  return max === undefined || max <= 0 || (ttl !== undefined && ttl <= max);
}

function rootLimit({ operation, data }: AclQuestion): { readonly limit?: number } {
  const limit = isListing(operation) ? listLimit({ capabilities: new Set(), sources: [] }, data) : 0;
  return limit === 0 || limit === 'denied' ? {} : { limit };
}
