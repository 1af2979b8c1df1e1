import type { Fields } from '../../core/fields.ts';
import { type GroupAlias, groupsOf } from '../../core/group-store.ts';
import type { Alias, Entity } from '../../core/identity-store.ts';
import type { StorageView } from '../../core/storage.ts';

export const orNull = (values: Readonly<Record<string, string>>): Fields | null =>
  Object.keys(values).length === 0 ? null : values;

/** An entity as it is read. */
export function entityFields(store: StorageView, entity: Entity): Fields {
  const { direct, inherited } = groupsOf(store, entity);
  const [directIds, inheritedIds] = [direct, inherited].map((groups) => groups.map(({ id }) => id));
  return {
    aliases: entity.aliases.map((alias) => aliasFields(alias, entity.id)),
    creation_time: entity.created,
    direct_group_ids: directIds,
    disabled: entity.disabled,
    group_ids: [...(directIds ?? []), ...(inheritedIds ?? [])],
    id: entity.id,
    inherited_group_ids: inheritedIds,
    last_update_time: entity.updated,
    merged_entity_ids: entity.mergedIds ?? null,
    metadata: orNull(entity.metadata),
    name: entity.name,
    namespace_id: 'root',
    policies: entity.policies,
  };
}

export function aliasFields(alias: Alias, entityId: string): Fields {
  return {
    canonical_id: entityId,
    creation_time: alias.created,
    custom_metadata: orNull(alias.customMetadata),
    id: alias.id,
    last_update_time: alias.updated,
    local: false,
    merged_from_canonical_ids: alias.mergedFrom ?? null,
    metadata: orNull(alias.metadata),
    mount_accessor: alias.mountAccessor,
    mount_path: alias.mountPath,
    mount_type: alias.mountType,
    name: alias.name,
    namespace_id: 'root',
  };
}

export const groupAliasFields = (alias: GroupAlias, groupId: string): Fields => ({
  canonical_id: groupId,
  creation_time: alias.created,
  id: alias.id,
  last_update_time: alias.updated,
  merged_from_canonical_ids: null,
  metadata: null,
  mount_accessor: alias.mountAccessor,
  mount_path: alias.mountPath,
  mount_type: alias.mountType,
  name: alias.name,
  namespace_id: 'root',
});

/** What lists tell about each. */
export const entityInfo = ({ name, aliases }: Entity): Fields => ({
  name,
  aliases: aliases.map((alias) => ({
    id: alias.id,
    mount_accessor: alias.mountAccessor,
    mount_path: alias.mountPath,
    mount_type: alias.mountType,
    name: alias.name,
  })),
});
