import { coerceFields, type Fields, numberOf, type Schema, textOf } from './fields.ts';

export const pageSchema = { after: 'string', limit: 'int' } as const satisfies Schema;

/** OpenBao's part of a sorted list: what stands behind `after`, at most `limit` of it. @throws Refusal 400 */
export function page(keys: readonly string[], sent: Fields): string[] {
  const fields = coerceFields(pageSchema, sent);
  const after = textOf(fields, 'after');
  const limit = numberOf(fields, 'limit');
  const rest = after === '' ? keys : keys.filter((key) => key > after);
  return limit > 0 ? rest.slice(0, limit) : [...rest];
}
