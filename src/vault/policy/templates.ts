import type { Entity } from '../core/identity-store.ts';
import type { PathRule } from './policy.ts';

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;

export const isTemplate = (path: string): boolean => path.includes('{{');

/**
 * The rule with the caller's identity put in; undefined (it grants nothing) when a name cannot be resolved or its value
 * could widen the rule: `*`, `+` and `/` are refused.
 */
export function resolveRule(rule: PathRule, entity: Entity | undefined): PathRule | undefined {
  if (!isTemplate(rule.path)) return rule;
  const path = resolveText(rule.path, entity);
  return path === undefined ? undefined : { ...rule, path };
}

/** A text with the caller's identity put in; undefined as above. */
export function resolveText(text: string, entity: Entity | undefined): string | undefined {
  if (entity === undefined) return undefined;
  let resolved = true;
  const filled = text.replace(placeholder, (_whole, name: string) => {
    const value = identityValue(name, entity);
    if (value === undefined || value === '' || /[*+/]/.test(value)) resolved = false;
    return value ?? '';
  });
  return resolved && !isTemplate(filled) ? filled : undefined;
}

function identityValue(name: string, entity: Entity): string | undefined {
  const [root = '', kind = '', field = '', ...rest] = name.split('.');
  if (root !== 'identity' || kind !== 'entity') return undefined;
  if (rest.length === 0 && field === 'id') return entity.id;
  if (rest.length === 0 && field === 'name') return entity.name;
  if (field === 'metadata') return own(entity.metadata, rest.join('.'));
  return field === 'aliases' ? aliasValue(entity, rest) : undefined;
}

function aliasValue(
  entity: Entity,
  [accessor = '', field = '', ...rest]: readonly string[],
): string | undefined {
  const alias = entity.aliases.find((one) => one.mountAccessor === accessor);
  if (alias === undefined) return undefined;
  if (rest.length === 0 && field === 'id') return alias.id;
  if (rest.length === 0 && field === 'name') return alias.name;
  if (field === 'metadata') return own(alias.metadata, rest.join('.'));
  return field === 'custom_metadata' ? own(alias.customMetadata, rest.join('.')) : undefined;
}

const own = (values: Readonly<Record<string, string>>, key: string): string | undefined =>
  Object.hasOwn(values, key) ? values[key] : undefined;
