import { isFields } from './fields.ts';

/** The document after an RFC 7386 merge patch: null removes, objects merge, everything else replaces. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return structuredClone(patch);
  const result: [string, unknown][] = isFields(target)
    ? Object.entries(target).filter(([key]) => !Object.hasOwn(patch, key))
    : [];
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) continue;
    const old = isFields(target) && Object.hasOwn(target, key) ? target[key] : undefined;
    result.push([key, applyMergePatch(old, value)]);
  }
  return Object.fromEntries(result);
}
