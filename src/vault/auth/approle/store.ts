import { createHash, createHmac } from 'node:crypto';
import type { RoleTokens } from '../../core/role-fields.ts';
import type { StorageView } from '../../core/storage.ts';

/** Times in seconds. */
export interface AppRole {
  readonly name: string;
  readonly roleId: string;
  /** Of the digests under which this role's secret ids are kept. */
  readonly hmacKey: string;
  readonly bindSecretId: boolean;
  readonly secretIdBoundCidrs: readonly string[] | null;
  readonly secretIdNumUses: number;
  readonly secretIdTtl: number;
  readonly localSecretIds: boolean;
  readonly tokens: RoleTokens;
}

/** A secret id at rest: never the secret id itself. Times in milliseconds. */
export interface SecretIdEntry {
  readonly accessor: string;
  readonly cidrs: readonly string[];
  readonly tokenCidrs: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** 0 = as often as wanted. */
  readonly numUses: number;
  /** Seconds, as asked for. */
  readonly ttl: number;
  readonly created: number;
  readonly updated: number;
  /** Undefined = never. */
  readonly expires?: number;
}

interface AccessorEntry {
  readonly role: string;
  readonly digest: string;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const rolePath = (name: string): string => `role/${name.toLowerCase()}`;
const roleIdPath = (roleId: string): string => `role-id/${digestOf(roleId)}`;
const secretPrefix = (role: string): string => `secret-id/${role}/`;
const accessorPath = (accessor: string): string => `accessor/${digestOf(accessor)}`;

export const readRole = (store: StorageView, name: string): AppRole | undefined =>
  store.get<AppRole>(rolePath(name));
export const listRoles = (store: StorageView): string[] => store.list('role/');

export function roleOfId(store: StorageView, roleId: string): AppRole | undefined {
  const name = store.get<string>(roleIdPath(roleId));
  return name === undefined ? undefined : readRole(store, name);
}

export function putRole(store: StorageView, role: AppRole, before: AppRole | undefined): void {
  if (before !== undefined && before.roleId !== role.roleId) store.delete(roleIdPath(before.roleId));
  store.put(roleIdPath(role.roleId), role.name);
  store.put(rolePath(role.name), role);
}

/** With all its secret ids. */
export function deleteRole(store: StorageView, role: AppRole): void {
  for (const digest of store.list(secretPrefix(role.name))) deleteSecretId(store, role, digest);
  store.delete(roleIdPath(role.roleId));
  store.delete(rolePath(role.name));
}

/** The key at rest: looked up by digest, so that its timing says nothing about stored secret ids. */
export const secretDigest = (hmacKey: string, secretId: string): string =>
  createHmac('sha256', hmacKey).update(secretId).digest('hex');

/** Undefined when it is not there or its time is over. @param now milliseconds */
export function readSecretId(
  store: StorageView,
  role: AppRole,
  digest: string,
  now: number,
): SecretIdEntry | undefined {
  const entry = store.get<SecretIdEntry>(secretPrefix(role.name) + digest);
  return entry?.expires !== undefined && entry.expires <= now ? undefined : entry;
}

export function putSecretId(store: StorageView, role: AppRole, digest: string, entry: SecretIdEntry): void {
  store.put(secretPrefix(role.name) + digest, entry);
  store.put(accessorPath(entry.accessor), { role: role.name, digest } satisfies AccessorEntry);
}

export function deleteSecretId(store: StorageView, role: AppRole, digest: string): void {
  const entry = store.get<SecretIdEntry>(secretPrefix(role.name) + digest);
  if (entry === undefined) return;
  store.delete(accessorPath(entry.accessor));
  store.delete(secretPrefix(role.name) + digest);
}

/** The digest of the secret id with this accessor, if it is this role's. */
export function digestOfAccessor(store: StorageView, role: AppRole, accessor: string): string | undefined {
  const entry = store.get<AccessorEntry>(accessorPath(accessor));
  return entry?.role === role.name ? entry.digest : undefined;
}

export function secretIdAccessors(store: StorageView, role: AppRole, now: number): string[] {
  return store
    .list(secretPrefix(role.name))
    .flatMap((digest) => readSecretId(store, role, digest, now)?.accessor ?? []);
}

/** Takes away the secret ids whose time is over. */
export function tidySecretIds(store: StorageView, now: number): void {
  for (const name of listRoles(store)) {
    const role = readRole(store, name);
    if (role === undefined) continue;
    for (const digest of store.list(secretPrefix(role.name))) {
      if (readSecretId(store, role, digest, now) === undefined) deleteSecretId(store, role, digest);
    }
  }
}
