import { type Fields, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import { roleTokenSchemaOf } from '../../core/role-fields.ts';

export const legacy = ['policies', 'ttl', 'max_ttl', 'bound_cidrs'] as const;

export const passwordSchema: Schema = { password: 'string', password_hash: 'string' };
export const userSchema: Schema = { ...roleTokenSchemaOf(legacy), ...passwordSchema };
export const policiesSchema: Schema = { policies: 'list', token_policies: 'list' };

/** The password that was sent, empty if none. @throws Refusal 400 */
export function readPassword(fields: Fields, isRequired: boolean): string {
  const [password, hash] = [textOf(fields, 'password'), textOf(fields, 'password_hash')];
  if (hash !== '') throw refuse('password_hash (bcrypt) is not offered by this server: give the password');
  if (password === '' && isRequired) throw refuse('must provide either password or password_hash');
  return password;
}
