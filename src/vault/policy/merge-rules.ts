import type { Capability, ParameterRules, PathRule, Policy } from './policy.ts';
import { isTemplate } from './templates.ts';

/** What all policies of a token together say about one path text. */
export interface Granted extends Omit<PathRule, 'path'> {
  readonly policies: readonly string[];
}

/** Same path text: capabilities add up, `deny` wipes the rest, parameter rules widen, wrapping bounds narrow. */
export function mergeRules(policies: readonly Policy[]): Map<string, Granted> {
  const merged = new Map<string, Granted>();
  for (const { name, rules } of policies) {
    for (const { path, ...rule } of rules) {
      if (isTemplate(path)) continue; // nobody to put in: it grants nothing
      const known = merged.get(path);
      const granted = { ...rule, policies: [name] };
      merged.set(path, known === undefined ? granted : mergeTwo(known, granted));
    }
  }
  return merged;
}

function mergeTwo(a: Granted, b: Granted): Granted {
  const policies = [...new Set([...a.policies, ...b.policies])];
  if (a.capabilities.has('deny') || b.capabilities.has('deny')) {
    return { capabilities: new Set<Capability>(['deny']), policies };
  }
  const min = Math.max(a.minWrappingTtl ?? 0, b.minWrappingTtl ?? 0);
  const max = narrower(a.maxWrappingTtl, b.maxWrappingTtl);
  const allowed = bothLists(a.allowed, b.allowed);
  const denied = bothLists(a.denied, b.denied);
  const required = [...new Set([...(a.required ?? []), ...(b.required ?? [])])];
  return {
    capabilities: new Set([...a.capabilities, ...b.capabilities]),
    policies,
    ...(allowed === undefined ? {} : { allowed }),
    ...(denied === undefined ? {} : { denied }),
    ...(required.length === 0 ? {} : { required }),
    ...(min === 0 ? {} : { minWrappingTtl: min }),
    ...(max === undefined ? {} : { maxWrappingTtl: max }),
  };
}

function narrower(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || a === 0) return b;
  return b === undefined || b === 0 ? a : Math.min(a, b);
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
