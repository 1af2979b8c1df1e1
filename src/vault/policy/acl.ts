import type { Fields } from '../core/fields.ts';
import type { Operation } from '../core/request.ts';
import { type Granted, mergeRules } from './merge-rules.ts';
import { checkParameters } from './parameters.ts';
import { bestPattern, insertPattern, type PatternNode, patternNode } from './pattern-trie.ts';
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
  /** Names of the policies whose rule decided. */
  readonly granting: readonly string[];
}

/**
 * A token's policies, compiled: a map of exact paths and a trie of patterns, so that a question costs the length of
 * its path and not the number of rules. One rule decides; a weaker match is never asked.
 */
export class Acl {
  readonly isRoot: boolean;
  readonly #exact = new Map<string, Granted>();
  readonly #patterns: PatternNode = patternNode();

  constructor(policies: readonly Policy[]) {
    this.isRoot = policies.some(({ name }) => name === 'root');
    for (const [path, granted] of mergeRules(policies)) {
      if (path.endsWith('*') || path.split('/').includes('+')) insertPattern(this.#patterns, path, granted);
      else this.#exact.set(path, granted);
    }
  }

  allows(question: AclQuestion): AclAnswer {
    if (this.isRoot) return { allowed: true, granting: ['root'] };
    const rule = this.#rule(question.path, question.operation === 'list');
    if (rule === undefined || rule.capabilities.has('deny'))
      return { allowed: false, granting: rule?.policies ?? [] };
    const allowed =
      rule.capabilities.has(question.operation) &&
      (!question.needsSudo || rule.capabilities.has('sudo')) &&
      checkWrapping(rule, question.wrapTtl) &&
      checkParameters(rule, question);
    return { allowed, granting: rule.policies };
  }

  /** As sys/capabilities shows them. */
  capabilities(path: string): readonly string[] {
    if (this.isRoot) return ['root'];
    const rule = this.#rule(path, path.endsWith('/'));
    const found: Capability[] = [...(rule?.capabilities ?? [])].sort();
    return found.length === 0 || found.includes('deny') ? ['deny'] : found;
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

  #rule(path: string, isList: boolean): Granted | undefined {
    const exact = this.#exact.get(path);
    const bare = isList && path.endsWith('/') ? path.slice(0, -1) : undefined;
    if (bare === undefined) return exact ?? bestPattern(this.#patterns, path);
    // A list of `a/` must not get past a rule that denies `a`.
    const exactBare = this.#exact.get(bare);
    const withSlash = exact ?? exactBare ?? bestPattern(this.#patterns, path);
    const without = exactBare ?? bestPattern(this.#patterns, bare);
    return without?.capabilities.has('deny') === true ? without : (withSlash ?? without);
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
  return max === undefined || max === 0 || (ttl !== undefined && ttl <= max);
}
