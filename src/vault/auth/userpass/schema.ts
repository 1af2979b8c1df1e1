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
  if (password !== '' && hash !== '') throw refuse('only one of password or password_hash may be provided');
  if (hash !== '') refuseHash(hash);
  if (password === '' && isRequired) throw refuse('must provide either password or password_hash');
  return password;
}

/** There is no bcrypt here; what upstream refuses is refused in its words. @throws Refusal 400, always */
function refuseHash(hash: string): never {
  const cost = Number(/^\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1] ?? Number.NaN);
  if (Number.isNaN(cost) || cost < 4 || cost > 31) throw refuse('password_hash is not a valid bcrypt hash');
  if (cost < 5) throw refuse(`bcrypt cost of ${cost} is too low, want 5 at minimum`);
  if (cost > 12) throw refuse(`bcrypt cost of ${cost} exceeds maximum cost of 12`);
  throw refuse('password_hash (bcrypt) is not offered by this server: give the password');
}
