import { coerceFields } from './fields.ts';
import { isListing } from './listing.ts';
import { nothingHere } from './refusal.ts';
import type { Result, VaultRequest } from './request.ts';

/**
 * The names of a list that come behind `after`, at most `limit` of them (0 for all), with what `key_info` says of these.
 * @throws Refusal 404 when none are left, as for any empty list; 400 for a `limit` that is no number (`max` is one: all that is allowed)
 */
export function pageOf(
  result: Result | undefined,
  { operation, data: { after, limit: asked } }: Pick<VaultRequest, 'operation' | 'data'>,
  limit = 0,
): Result | undefined {
  const keys = result?.data?.keys;
  if (isListing(operation) && asked !== undefined && asked !== 'max')
    coerceFields({ limit: 'int' }, { limit: asked });
  const start = typeof after === 'string' ? after : '';
  if (!isListing(operation) || !Array.isArray(keys) || (start === '' && limit === 0)) return result;
  const left = keys
    .map(String)
    .sort()
    .filter((key) => key > start);
  const page = limit === 0 ? left : left.slice(0, limit);
  if (page.length === 0) throw nothingHere();
  const info = result?.data?.key_info as Readonly<Record<string, unknown>> | null | undefined;
  const ofPage = page.flatMap((key) => (info && Object.hasOwn(info, key) ? [[key, info[key]] as const] : []));
  const data = { ...result?.data, keys: page, ...(info ? { key_info: Object.fromEntries(ofPage) } : {}) };
  return { ...result, data };
}
