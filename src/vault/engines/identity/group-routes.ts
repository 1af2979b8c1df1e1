import type { Context, Route } from '../../core/backend.ts';
import { type Fields, listOf, type Schema, textOf } from '../../core/fields.ts';
import {
  deleteGroup,
  type Group,
  groupByAlias,
  groupByAliasId,
  groupByName,
  groupIds,
  isBelow,
  parentIdsOf,
  putGroup,
  readGroup,
} from '../../core/group-store.ts';
import { readEntity } from '../../core/identity-store.ts';
import { type Refusal, refuse, refuseWrapped } from '../../core/refusal.ts';
import type { Result } from '../../core/request.ts';
import type { StorageView } from '../../core/storage.ts';
import { uuidOf } from '../../core/uuid.ts';
import { sanitizePolicies } from '../../policy/policy.ts';
import { checkLookup } from './lookup-query.ts';
import { groupAliasFields, orNull } from './view.ts';

const schema: Schema = {
  id: 'string',
  name: 'string',
  type: 'string',
  metadata: 'texts',
  policies: 'list',
  member_entity_ids: 'list',
  member_group_ids: 'list',
};

const lookupSchema: Schema = {
  id: 'string',
  name: 'string',
  alias_id: 'string',
  alias_name: 'string',
  alias_mount_accessor: 'string',
};

/** Groups of entities: internal ones by their member lists, external ones by what logins say. */
export const groupRoutes = (): Route[] => [
  { path: 'group', fields: schema, operations: { update: write } },
  { path: 'group/id', operations: { list: listIds } },
  { path: 'group/name', operations: { list: listNames } },
  oneRoute('id', (store, id) => readGroup(store, id)),
  oneRoute('name', groupByName),
  { path: 'lookup/group', fields: lookupSchema, operations: { update: lookup } },
];

function oneRoute(by: 'id' | 'name', find: (store: StorageView, value: string) => Group | undefined): Route {
  const found = ({ transaction, fields }: Context): Group | undefined =>
    find(transaction, textOf(fields, by));
  return {
    path: `group/${by}/:${by}`,
    fields: schema,
    operations: {
      read: (context) => {
        const group = found(context);
        return group && { data: groupFields(context.transaction, group) };
      },
      update: write,
      delete: (context) => {
        const group = found(context);
        if (group !== undefined) deleteGroup(context.transaction, group);
        return undefined;
      },
    },
  };
}

function groupFields(store: StorageView, group: Group): Fields {
  return {
    alias: group.alias === null ? {} : groupAliasFields(group.alias, group.id),
    creation_time: group.created,
    id: group.id,
    last_update_time: group.updated,
    member_entity_ids: group.memberEntityIds,
    member_group_ids: group.memberGroupIds,
    metadata: orNull(group.metadata),
    modify_index: group.version,
    name: group.name,
    namespace_id: 'root',
    parent_group_ids: parentIdsOf(store, group.id),
    policies: group.policies,
    type: group.type,
  };
}

/** A group with nothing in it yet. */
export function newGroup({ random, clock }: Context, o: Partial<Group>): Group {
  const at = new Date(clock.now()).toISOString();
  return {
    id: uuidOf(random(16)),
    name: `group_${random(4).toString('hex')}`,
    type: 'internal',
    policies: [],
    metadata: {},
    memberEntityIds: [],
    memberGroupIds: [],
    alias: null,
    created: at,
    updated: at,
    version: 0,
    ...o,
  };
}

function write(context: Context): Result | undefined {
  const { fields, transaction, clock } = context;
  const [id, name] = [textOf(fields, 'id'), textOf(fields, 'name')];
  const byId = id === '' ? undefined : readGroup(transaction, id);
  if (id !== '' && byId === undefined) throw refuse('invalid group ID');
  const byName = name === '' ? undefined : groupByName(transaction, name);
  if (byId !== undefined && byName !== undefined && byName.id !== byId.id) {
    throw refuse('group name is already in use');
  }
  const before = byId ?? byName;
  const start = before ?? newGroup(context, name === '' ? {} : { name });
  const policies = sanitizePolicies(listOf(fields, 'policies'), false);
  if (policies.includes('root')) throw refuse('policies cannot contain root');
  const group: Group = {
    ...start,
    type: typeOf(fields, before),
    name: name === '' ? start.name : name,
    policies: 'policies' in fields ? policies : start.policies,
    metadata: (fields.metadata as Record<string, string> | undefined) ?? start.metadata,
    memberEntityIds: members(fields, 'member_entity_ids', start.memberEntityIds),
    memberGroupIds: members(fields, 'member_group_ids', start.memberGroupIds),
    updated: new Date(clock.now()).toISOString(),
  };
  checkMembers(transaction, fields, group);
  putGroup(transaction, group);
  return before === undefined ? { data: { id: group.id, name: group.name } } : undefined;
}

const members = (fields: Fields, name: string, before: readonly string[]): readonly string[] =>
  name in fields ? [...new Set(listOf(fields, name))].sort() : before;

function typeOf(fields: Fields, before: Group | undefined): Group['type'] {
  const type = textOf(fields, 'type', before?.type) || 'internal';
  if (before !== undefined && type !== before.type) throw refuse('group type cannot be changed');
  if (type === 'internal' || type === 'external') return type;
  throw refuse(`invalid group type ${JSON.stringify(type)}`);
}

function checkMembers(store: StorageView, fields: Fields, group: Group): void {
  const isExternal = group.type === 'external';
  if (isExternal && 'member_entity_ids' in fields) {
    throw refuse("member entities can't be set manually for external groups");
  }
  if (isExternal && 'member_group_ids' in fields) {
    throw refuse("member groups can't be set for external groups");
  }
  const wrong = (text: string): Refusal => refuseWrapped(text, 500, 'bad-member');
  for (const id of group.memberEntityIds) {
    if (readEntity(store, id) === undefined) throw wrong(`invalid entity ID ${JSON.stringify(id)}`);
  }
  for (const id of group.memberGroupIds) {
    if (readGroup(store, id) === undefined) throw wrong(`invalid member group ID ${JSON.stringify(id)}`);
    if (id === group.id) throw wrong(`member group ID ${JSON.stringify(id)} is same as the ID of the group`);
    if (isBelow(store, id, group.id)) {
      throw refuse(`cyclic relationship detected for member group ID ${JSON.stringify(id)}`);
    }
  }
}

const all = ({ transaction }: Context): Group[] =>
  groupIds(transaction).flatMap((id) => readGroup(transaction, id) ?? []);

function listIds(context: Context): Result | undefined {
  const groups = all(context);
  if (groups.length === 0) return undefined;
  const info = groups.map((group) => [
    group.id,
    {
      name: group.name,
      num_member_entities: group.memberEntityIds.length,
      num_parent_groups: parentIdsOf(context.transaction, group.id).length,
    },
  ]);
  return { data: { keys: groups.map(({ id }) => id), key_info: Object.fromEntries(info) } };
}

function listNames(context: Context): Result | undefined {
  const keys = all(context).map(({ name }) => name);
  return keys.length === 0 ? undefined : { data: { keys } };
}

function lookup({ fields, transaction }: Context): Result | undefined {
  const [id, name, aliasId] = [textOf(fields, 'id'), textOf(fields, 'name'), textOf(fields, 'alias_id')];
  const alias = { name: textOf(fields, 'alias_name'), mountAccessor: textOf(fields, 'alias_mount_accessor') };
  checkLookup(fields);
  const group =
    id !== ''
      ? readGroup(transaction, id)
      : name !== ''
        ? groupByName(transaction, name)
        : aliasId !== ''
          ? groupByAliasId(transaction, aliasId)
          : groupByAlias(transaction, alias);
  return group && { data: groupFields(transaction, group) };
}
