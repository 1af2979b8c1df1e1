import type { RoleTokens } from '../../core/role-fields.ts';
import { namedEntries } from '../named-entries.ts';
import type { PasswordHash } from './password.ts';

export interface User {
  readonly password: PasswordHash;
  readonly tokens: RoleTokens;
}

export const users = namedEntries<User>('user/');
