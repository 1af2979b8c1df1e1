import { type Fields, type Schema, textOf } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';

export const lookupSchema: Schema = {
  id: 'string',
  name: 'string',
  alias_id: 'string',
  alias_name: 'string',
  alias_mount_accessor: 'string',
};

/** By what a lookup asks: just one of the four, an alias with its mount. @throws Refusal 400 */
export function checkLookup(fields: Fields): void {
  const given = Object.keys(lookupSchema).filter((name) => name in fields);
  const [name, accessor] = [textOf(fields, 'alias_name'), textOf(fields, 'alias_mount_accessor')];
  if (given.length === 0) throw refuse('query parameter not supplied');
  if (given.length === 2 && name !== '' && accessor !== '') return;
  if (given.length > 1)
    throw refuse('query parameter conflict; please supply distinct set of query parameters');
  if (name !== '' || accessor !== '')
    throw refuse("both 'alias_name' and 'alias_mount_accessor' needs to be set");
}
