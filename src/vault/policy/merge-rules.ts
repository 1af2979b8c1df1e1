import type { Capability, ParameterRules, PathRule, Policy } from './policy.ts';
import { isTemplate } from './templates.ts';

/** What all policies of a token together say about one path text. */
export interface Granted extends Omit<PathRule, 'path' | 'expires'> {
  /** Who said it. */
  readonly sources: readonly Source[];
}

interface Source {
  readonly policy: string;
  readonly capabilities: ReadonlySet<Capability>;
}

/** Names of the policies that give `capability`. */
export const grantedBy = ({ sources }: Granted, capability: Capability): string[] => [
  ...new Set(sources.flatMap(({ policy, capabilities }) => (capabilities.has(capability) ? [policy] : []))),
];

/**
 * Same path text: capabilities add up, `deny` wipes the rest, parameter rules widen; of two bounds of wrapping or of two
 * limits the lesser counts, as upstream has it. @param now milliseconds: what has expired says nothing
 */
export function mergeRules(policies: readonly Policy[], now: number): Map<string, Granted> {
  const merged = new Map<string, Granted>();
  for (const { name, rules } of policies) {
    for (const { path, expires, ...rule } of rules) {
      if (isTemplate(path) || (expires !== undefined && expires <= now)) continue; // nobody to put in: it grants nothing
      const known = merged.get(path);
      const granted = { ...rule, sources: [{ policy: name, capabilities: rule.capabilities }] };
      merged.set(path, known === undefined ? granted : mergeTwo(known, granted));
    }
  }
  return merged;
}

function mergeTwo(a: Granted, b: Granted): Granted {
  const sources = [...a.sources, ...b.sources];
  if (a.capabilities.has('deny') || b.capabilities.has('deny')) {
    return { capabilities: new Set<Capability>(['deny']), sources };
  }
  const min = lesser(a.minWrappingTtl, b.minWrappingTtl);
  const max = lesser(a.maxWrappingTtl, b.maxWrappingTtl);
  const limit = lesser(a.paginationLimit, b.paginationLimit);
  const allowed = bothLists(a.allowed, b.allowed);
  const denied = bothLists(a.denied, b.denied);
  const required = [...new Set([...(a.required ?? []), ...(b.required ?? [])])];
  return {
    capabilities: new Set([...a.capabilities, ...b.capabilities]),
    sources,
    ...(allowed === undefined ? {} : { allowed }),
    ...(denied === undefined ? {} : { denied }),
    ...(required.length === 0 ? {} : { required }),
    ...(min === undefined ? {} : { minWrappingTtl: min }),
    ...(max === undefined ? {} : { maxWrappingTtl: max }),
    ...(limit === undefined ? {} : { paginationLimit: limit }),
  };
}

/** What is not above zero bounds nothing. */
function lesser(a = 0, b = 0): number | undefined {
  const set = [a, b].filter((bound) => bound > 0);
  return set.length === 0 ? undefined : Math.min(...set);
}

/** An empty list means every value, so it stays empty. */
function bothLists(a: ParameterRules | undefined, b: ParameterRules | undefined): ParameterRules | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const merged: Record<string, readonly unknown[]> = { ...a };
  for (const [name, values] of Object.entries(b)) {
    const known = Object.hasOwn(merged, name) ? merged[name] : undefined;
    merged[name] =
      known === undefined ? values : known.length === 0 || values.length === 0 ? [] : [...known, ...values];
  }
  return merged;
}
