import type { Random } from './barrier.ts';
import type { StorageView } from './storage.ts';
import { uuidOf } from './uuid.ts';

/** A name under which an auth mount knows an entity. Times RFC 3339. */
export interface Alias {
  readonly id: string;
  readonly name: string;
  readonly mountAccessor: string;
  readonly mountPath: string;
  readonly mountType: string;
  /** By the auth method, anew at each login. */
  readonly metadata: Readonly<Record<string, string>>;
  /** By people. */
  readonly customMetadata: Readonly<Record<string, string>>;
  /** Ids of the entities that it was of before they were merged. */
  readonly mergedFrom?: readonly string[];
  readonly created: string;
  readonly updated: string;
}

/** Somebody (or some workload) who logs in, by whatever method. */
export interface Entity {
  readonly id: string;
  /** Counts changes. */
  readonly version: number;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly policies: readonly string[];
  readonly disabled: boolean;
  readonly aliases: readonly Alias[];
  /** Of the groups that have it as a member. */
  readonly groupIds?: readonly string[];
  /** Of the entities that have become part of it. */
  readonly mergedIds?: readonly string[];
  readonly created: string;
  readonly updated: string;
}

const prefix = 'sys/identity/';
const entityPath = (id: string): string => `${prefix}entity/${id}`;
const namePath = (name: string): string => `${prefix}name/${name.toLowerCase()}`;
const mergedPath = (id: string): string => `${prefix}merged/${id}`;
const aliasIdPath = (id: string): string => `${prefix}alias-id/${id}`;
const aliasPath = (accessor: string, name: string): string =>
  `${prefix}alias/${accessor}/${Buffer.from(name).toString('base64url')}`;

export const readEntity = (store: StorageView, id: string): Entity | undefined =>
  store.get<Entity>(entityPath(id));
/** The entity of a token: perhaps by now part of another. */
export function entityOfToken(store: StorageView, id: string): Entity | undefined {
  const entity = readEntity(store, id);
  if (entity !== undefined) return entity;
  const into = store.get<string>(mergedPath(id));
  return into === undefined ? undefined : readEntity(store, into);
}

/** Lets tokens of the entities that have become part of `entity` find it. */
export function noteMerged(store: StorageView, entity: Entity): void {
  for (const id of entity.mergedIds ?? []) store.put(mergedPath(id), entity.id);
}

export const entityIds = (store: StorageView): string[] => store.list(`${prefix}entity/`);
export const aliasIds = (store: StorageView): string[] => store.list(`${prefix}alias-id/`);

export function entityByName(store: StorageView, name: string): Entity | undefined {
  const id = store.get<string>(namePath(name));
  return id === undefined ? undefined : readEntity(store, id);
}

export function entityByAliasId(store: StorageView, aliasId: string): Entity | undefined {
  const id = store.get<string>(aliasIdPath(aliasId));
  return id === undefined ? undefined : readEntity(store, id);
}

export function entityByAlias(store: StorageView, accessor: string, name: string): Entity | undefined {
  const id = store.get<string>(aliasPath(accessor, name));
  return id === undefined ? undefined : readEntity(store, id);
}

/** Stages an entity with the indexes of its name and aliases. */
export function putEntity(store: StorageView, entity: Entity): void {
  const before = readEntity(store, entity.id);
  if (before !== undefined) dropIndexes(store, before);
  store.put(entityPath(entity.id), { ...entity, version: (before?.version ?? 0) + 1 } satisfies Entity);
  store.put(namePath(entity.name), entity.id);
  for (const alias of entity.aliases) {
    store.put(aliasIdPath(alias.id), entity.id);
    store.put(aliasPath(alias.mountAccessor, alias.name), entity.id);
  }
}

export function deleteEntity(store: StorageView, entity: Entity): void {
  dropIndexes(store, entity);
  store.delete(entityPath(entity.id));
  for (const id of entity.mergedIds ?? []) store.delete(mergedPath(id));
}

function dropIndexes(store: StorageView, entity: Entity): void {
  store.delete(namePath(entity.name));
  for (const alias of entity.aliases) {
    store.delete(aliasIdPath(alias.id));
    store.delete(aliasPath(alias.mountAccessor, alias.name));
  }
}

export function newEntity(o: Partial<Entity>, random: Random, now: number): Entity {
  const at = new Date(now).toISOString();
  return {
    id: uuidOf(random(16)),
    version: 0,
    name: `entity_${random(4).toString('hex')}`,
    metadata: {},
    policies: [],
    disabled: false,
    aliases: [],
    created: at,
    updated: at,
    ...o,
  };
}

/** What a login says about who it was. */
export interface LoginAlias {
  readonly name: string;
  /** Names of the caller's groups as its provider says; undefined when the method knows of none. */
  readonly groups?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface AliasMount {
  readonly accessor: string;
  readonly path: string;
  readonly type: string;
}

/** The entity behind a login: the one that has this alias, or a new one. Stages only what changed. */
export function entityOfLogin(
  store: StorageView,
  mount: AliasMount,
  login: LoginAlias,
  random: Random,
  now: number,
): Entity {
  const metadata = login.metadata ?? {};
  const known = entityByAlias(store, mount.accessor, login.name);
  if (known === undefined) {
    const alias = newAlias(mount, login.name, metadata, {}, random, now);
    const entity = newEntity({ aliases: [alias] }, random, now);
    putEntity(store, entity);
    return entity;
  }
  const alias = known.aliases.find((one) => one.mountAccessor === mount.accessor && one.name === login.name);
  if (alias === undefined || JSON.stringify(alias.metadata) === JSON.stringify(metadata)) return known;
  const updated = new Date(now).toISOString();
  const entity: Entity = {
    ...known,
    updated,
    aliases: known.aliases.map((one) => (one === alias ? { ...one, metadata, updated } : one)),
  };
  putEntity(store, entity);
  return entity;
}

export function newAlias(
  mount: AliasMount,
  name: string,
  metadata: Alias['metadata'],
  customMetadata: Alias['customMetadata'],
  random: Random,
  now: number,
): Alias {
  const at = new Date(now).toISOString();
  return {
    id: uuidOf(random(16)),
    name,
    mountAccessor: mount.accessor,
    mountPath: `auth/${mount.path}`,
    mountType: mount.type,
    metadata,
    customMetadata,
    created: at,
    updated: at,
  };
}
