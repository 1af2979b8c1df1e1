import type { Context, Route } from '../../core/backend.ts';
import { booleanOf, listOf, type Schema, textOf } from '../../core/fields.ts';
import { groupsOf, putGroup } from '../../core/group-store.ts';
import {
  deleteEntity,
  type Entity,
  entityByAlias,
  entityByAliasId,
  entityByName,
  entityIds,
  newEntity,
  putEntity,
  readEntity,
} from '../../core/identity-store.ts';
import { refuse } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { StorageView } from '../../core/storage.ts';
import { sanitizePolicies } from '../../policy/policy.ts';
import { checkLookup, lookupSchema } from './lookup-query.ts';
import { entityFields, entityInfo } from './view.ts';

const schema: Schema = {
  id: 'string',
  name: 'string',
  metadata: 'texts',
  policies: 'list',
  disabled: 'bool',
};

/** Entities: by id, by name, and looked up by alias. */
export const entityRoutes = (): Route[] => [
  { path: 'entity', fields: schema, operations: { update: write } },
  { path: 'entity/id', operations: { list: listIds } },
  { path: 'entity/name', operations: { list: listNames } },
  oneRoute('id', (context, id) => readEntity(context.transaction, id)),
  oneRoute('name', (context, name) => entityByName(context.transaction, name)),
  { path: 'entity/batch-delete', fields: { entity_ids: 'list' }, operations: { update: removeAll } },
  { path: 'lookup/entity', fields: lookupSchema, operations: { update: lookup } },
];

function oneRoute(by: 'id' | 'name', find: (context: Context, value: string) => Entity | undefined): Route {
  const found = (context: Context): Entity | undefined => find(context, textOf(context.fields, by));
  return {
    path: `entity/${by}/:${by}`,
    fields: schema,
    operations: {
      read: (context) => {
        const entity = found(context);
        return entity && { data: entityFields(context.transaction, entity) };
      },
      update: write,
      delete: (context) => {
        const entity = found(context);
        if (entity !== undefined) removeEntity(context.transaction, entity);
        return undefined;
      },
    },
  };
}

/** An entity, and its place in groups. */
export function removeEntity(store: StorageView, entity: Entity): void {
  for (const group of groupsOf(store, entity).direct) {
    const memberEntityIds = group.memberEntityIds.filter((id) => id !== entity.id);
    putGroup(store, { ...group, memberEntityIds });
  }
  deleteEntity(store, entity);
}

function removeAll({ fields, transaction }: Context): undefined {
  const ids = listOf(fields, 'entity_ids');
  if (ids.length === 0) throw refuse('missing entity ids to delete');
  for (const id of ids) {
    const entity = readEntity(transaction, id);
    if (entity !== undefined) removeEntity(transaction, entity);
  }
}

function write(context: Context): Result | undefined {
  const { fields, transaction, random, clock } = context;
  const [id, name] = [textOf(fields, 'id'), textOf(fields, 'name')];
  const byId = id === '' ? undefined : readEntity(transaction, id);
  if (id !== '' && byId === undefined) throw refuse('entity not found from id');
  const byName = name === '' ? undefined : entityByName(transaction, name);
  if (byId !== undefined && byName !== undefined && byName.id !== byId.id) {
    throw refuse('entity name is already in use');
  }
  const before = byId ?? byName;
  const policies = sanitizePolicies(listOf(fields, 'policies'), false);
  if (policies.includes('root')) throw refuse('policies cannot contain root');
  const start = before ?? newEntity(name === '' ? {} : { name }, random, clock.now());
  const entity: Entity = {
    ...start,
    name: name === '' ? start.name : name,
    metadata: (fields.metadata as Record<string, string> | undefined) ?? start.metadata,
    policies: 'policies' in fields ? policies : start.policies,
    disabled: booleanOf(fields, 'disabled', start.disabled),
    updated: new Date(clock.now()).toISOString(),
  };
  putEntity(transaction, entity);
  return before === undefined ? { data: { id: entity.id, name: entity.name, aliases: null } } : undefined;
}

const all = ({ transaction }: Context): Entity[] =>
  entityIds(transaction).flatMap((id) => readEntity(transaction, id) ?? []);

function listIds(context: Context): Result | undefined {
  const entities = all(context);
  if (entities.length === 0) return undefined;
  const info = Object.fromEntries(entities.map((entity) => [entity.id, entityInfo(entity)]));
  return { data: { keys: entities.map(({ id }) => id), key_info: info } };
}

function listNames(context: Context): Result | undefined {
  const keys = all(context).map(({ name }) => name);
  return keys.length === 0 ? undefined : { data: { keys } };
}

function lookup(context: Context): Result | undefined {
  const { fields, transaction } = context;
  const [id, name, aliasId] = [textOf(fields, 'id'), textOf(fields, 'name'), textOf(fields, 'alias_id')];
  const [aliasName, accessor] = [textOf(fields, 'alias_name'), textOf(fields, 'alias_mount_accessor')];
  checkLookup(fields);
  const entity =
    id !== ''
      ? readEntity(transaction, id)
      : name !== ''
        ? entityByName(transaction, name)
        : aliasId !== ''
          ? entityByAliasId(transaction, aliasId)
          : entityByAlias(transaction, accessor, aliasName);
  return entity && { data: entityFields(transaction, entity) };
}
