import type { Fields } from '../core/fields.ts';
import type { Granted } from './merge-rules.ts';

/** What a list may give: so many names (0 = all), or nothing because the caller asks for too much. */
export type ListLimit = number | 'denied';

/**
 * The page that a list may have. `limit=max` asks for as much as is allowed, so that a caller need not know; one that
 * does not speak of pages gets the first, or is refused where the rule requires `limit`.
 */
export function listLimit(
  { paginationLimit: most = 0, required }: Granted,
  { limit: asked }: Fields,
): ListLimit {
  if (asked === undefined) return most > 0 && required?.includes('limit') === true ? 'denied' : most;
  if (asked === 'max' || asked === 0 || asked === '0') return most;
  const wanted = typeof asked === 'string' && /^[-+]?\d+$/.test(asked) ? Number(asked) : asked;
  if (most === 0) return typeof wanted === 'number' && wanted > 0 ? wanted : 0;
  return typeof wanted === 'number' && wanted > 0 && wanted <= most ? wanted : 'denied';
}
