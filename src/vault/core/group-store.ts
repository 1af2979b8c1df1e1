import { type Entity, putEntity, readEntity } from './identity-store.ts';
import type { StorageView } from './storage.ts';

/** The name under which an auth mount knows an external group. Times RFC 3339. */
export interface GroupAlias {
  readonly id: string;
  readonly name: string;
  readonly mountAccessor: string;
  readonly mountPath: string;
  readonly mountType: string;
  readonly created: string;
  readonly updated: string;
}

/** Entities (and groups of them) with policies in common. */
export interface Group {
  readonly id: string;
  readonly name: string;
  /** Members of external groups are who their auth mount says at each login. */
  readonly type: 'internal' | 'external';
  readonly policies: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly memberEntityIds: readonly string[];
  readonly memberGroupIds: readonly string[];
  readonly alias: GroupAlias | null;
  readonly created: string;
  readonly updated: string;
  readonly version: number;
}

const prefix = 'sys/identity/';
const groupPath = (id: string): string => `${prefix}group/${id}`;
const namePath = (name: string): string => `${prefix}group-name/${name.toLowerCase()}`;
const aliasIdPath = (id: string): string => `${prefix}group-alias-id/${id}`;
const aliasPath = ({ mountAccessor, name }: Pick<GroupAlias, 'mountAccessor' | 'name'>): string =>
  `${prefix}group-alias/${mountAccessor}/${Buffer.from(name).toString('base64url')}`;
/** Ids of the groups that a group is a member of. */
const parentsPath = (id: string): string => `${prefix}group-parents/${id}`;

export const readGroup = (store: StorageView, id: string): Group | undefined =>
  store.get<Group>(groupPath(id));
export const groupIds = (store: StorageView): string[] => store.list(`${prefix}group/`);
export const groupAliasIds = (store: StorageView): string[] => store.list(`${prefix}group-alias-id/`);
export const parentIdsOf = (store: StorageView, id: string): readonly string[] =>
  store.get<string[]>(parentsPath(id)) ?? [];

const byIndex = (store: StorageView, path: string): Group | undefined => {
  const id = store.get<string>(path);
  return id === undefined ? undefined : readGroup(store, id);
};
export const groupByName = (store: StorageView, name: string): Group | undefined =>
  byIndex(store, namePath(name));
export const groupByAliasId = (store: StorageView, id: string): Group | undefined =>
  byIndex(store, aliasIdPath(id));
export const groupByAlias = (
  store: StorageView,
  alias: Pick<GroupAlias, 'mountAccessor' | 'name'>,
): Group | undefined => byIndex(store, aliasPath(alias));

/** Stages a group, what finds it, and its members' knowledge of it. */
export function putGroup(store: StorageView, group: Group): void {
  const before = readGroup(store, group.id);
  if (before !== undefined) dropIndexes(store, before);
  store.put(groupPath(group.id), { ...group, version: (before?.version ?? 0) + 1 } satisfies Group);
  store.put(namePath(group.name), group.id);
  if (group.alias !== null) {
    store.put(aliasIdPath(group.alias.id), group.id);
    store.put(aliasPath(group.alias), group.id);
  }
  tellMembers(store, group.id, before, group);
}

export function deleteGroup(store: StorageView, group: Group): void {
  dropIndexes(store, group);
  store.delete(groupPath(group.id));
  tellMembers(store, group.id, group, undefined);
  for (const parent of parentIdsOf(store, group.id)) {
    const found = readGroup(store, parent);
    if (found === undefined) continue;
    const memberGroupIds = found.memberGroupIds.filter((id) => id !== group.id);
    store.put(groupPath(parent), { ...found, memberGroupIds } satisfies Group);
  }
  store.delete(parentsPath(group.id));
}

function dropIndexes(store: StorageView, { name, alias }: Group): void {
  store.delete(namePath(name));
  if (alias === null) return;
  store.delete(aliasIdPath(alias.id));
  store.delete(aliasPath(alias));
}

/** An entity knows its groups: a request then reads only those, and whoever is in none pays nothing. */
function tellMembers(
  store: StorageView,
  id: string,
  before: Group | undefined,
  now: Group | undefined,
): void {
  const entities = new Set([...(before?.memberEntityIds ?? []), ...(now?.memberEntityIds ?? [])]);
  for (const member of entities) {
    const entity = readEntity(store, member);
    if (entity === undefined) continue;
    const others = (entity.groupIds ?? []).filter((one) => one !== id);
    const groups = now?.memberEntityIds.includes(member) === true ? [...others, id] : others;
    putEntity(store, { ...entity, groupIds: groups }); // also makes the policies filled in for it be filled in anew
  }
  const groups = new Set([...(before?.memberGroupIds ?? []), ...(now?.memberGroupIds ?? [])]);
  for (const member of groups) {
    const others = parentIdsOf(store, member).filter((one) => one !== id);
    store.put(parentsPath(member), now?.memberGroupIds.includes(member) === true ? [...others, id] : others);
  }
}

/** The groups of an entity: those that name it, and those that these are members of. */
export function groupsOf(
  store: StorageView,
  entity: Entity,
): { readonly direct: readonly Group[]; readonly inherited: readonly Group[] } {
  const direct = (entity.groupIds ?? []).flatMap((id) => readGroup(store, id) ?? []);
  const seen = new Map(direct.map((group) => [group.id, group]));
  const inherited: Group[] = [];
  for (const group of seen.values()) {
    for (const id of parentIdsOf(store, group.id)) {
      const parent = seen.has(id) ? undefined : readGroup(store, id);
      if (parent === undefined) continue;
      seen.set(id, parent); // the loop goes on over what is added
      inherited.push(parent);
    }
  }
  return { direct, inherited };
}

/** Whether `member` is `group` or somewhere below it. */
export function isBelow(store: StorageView, group: string, member: string): boolean {
  const seen = new Set<string>([group]);
  for (const id of seen) {
    if (id === member) return true;
    for (const inner of readGroup(store, id)?.memberGroupIds ?? []) seen.add(inner);
  }
  return false;
}

/** Makes an entity a member of just those external groups of an auth mount that its login named. */
export function setExternalGroups(
  store: StorageView,
  accessor: string,
  entityId: string,
  names: readonly string[],
): void {
  const entity = readEntity(store, entityId);
  if (entity === undefined) return;
  const wanted = new Map(
    names.flatMap((name) => {
      const group = groupByAlias(store, { mountAccessor: accessor, name });
      return group === undefined ? [] : [[group.id, group] as const];
    }),
  );
  for (const group of groupsOf(store, entity).direct) {
    if (group.alias?.mountAccessor !== accessor || wanted.has(group.id)) continue;
    putGroup(store, { ...group, memberEntityIds: group.memberEntityIds.filter((id) => id !== entityId) });
  }
  for (const group of wanted.values()) {
    if (group.memberEntityIds.includes(entityId)) continue;
    putGroup(store, { ...group, memberEntityIds: [...group.memberEntityIds, entityId] });
  }
}
