import type { Group } from '../core/group-store.ts';
import type { Entity } from '../core/identity-store.ts';
import type { PathRule } from './policy.ts';

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Who asks, with their groups where rules may name them. */
export type Caller = Entity & { readonly groups?: readonly Group[] };

export const isTemplate = (path: string): boolean => path.includes('{{');

/**
 * The rule with the caller's identity put in; undefined (it grants nothing) when a name cannot be resolved or its value
 * could widen the rule: `*`, `+` and `/` are refused.
 */
export function resolveRule(rule: PathRule, entity: Caller | undefined): PathRule | undefined {
  if (!isTemplate(rule.path)) return rule;
  const path = resolveText(rule.path, entity);
  return path === undefined ? undefined : { ...rule, path };
}

/** A text with the caller's identity put in; undefined as above. */
export function resolveText(text: string, entity: Caller | undefined): string | undefined {
  if (entity === undefined) return undefined;
  let resolved = true;
  const filled = text.replace(placeholder, (_whole, name: string) => {
    const value = identityValue(name, entity);
    if (value === undefined || value === '' || /[*+/]/.test(value)) resolved = false;
    return value ?? '';
  });
  return resolved && !isTemplate(filled) ? filled : undefined;
}

function identityValue(name: string, entity: Caller): string | undefined {
  const [root = '', kind = '', field = '', ...rest] = name.split('.');
  if (root === 'identity' && kind === 'groups') return groupValue(name, entity.groups ?? []);
  if (root !== 'identity' || kind !== 'entity') return undefined;
  if (rest.length === 0 && field === 'id') return entity.id;
  if (rest.length === 0 && field === 'name') return entity.name;
  if (field === 'metadata') return own(entity.metadata, rest.join('.'));
  return field === 'aliases' ? aliasValue(entity, rest) : undefined;
}

/** `identity.groups.ids.ID.name`, `identity.groups.names.NAME.id` or `….metadata.KEY`: of groups of the caller alone. */
function groupValue(text: string, groups: readonly Group[]): string | undefined {
  const [, by, key, field, rest] =
    /^identity\.groups\.(ids|names)\.(.+?)\.(id|name|metadata)(?:\.(.+))?$/.exec(text) ?? [];
  const group = groups.find((one) => (by === 'ids' ? one.id : one.name) === key);
  if (group === undefined) return undefined;
  if (field === 'metadata') return own(group.metadata, rest ?? '');
  return rest === undefined ? (field === 'id' ? group.id : group.name) : undefined;
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
