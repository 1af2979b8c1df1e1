import type { RoleTokens } from '../../core/role-fields.ts';
import type { StorageView } from '../../core/storage.ts';
import type { PasswordHash } from './password.ts';

export interface User {
  readonly password: PasswordHash;
  readonly tokens: RoleTokens;
}

const userPath = (name: string): string => `user/${name.toLowerCase()}`;

export const readUser = (store: StorageView, name: string): User | undefined =>
  store.get<User>(userPath(name));
export const putUser = (store: StorageView, name: string, user: User): void =>
  store.put(userPath(name), user);
export const deleteUser = (store: StorageView, name: string): void => store.delete(userPath(name));
export const listUsers = (store: StorageView): string[] => store.list('user/');
