import { parseDuration } from '../../lib/duration.ts';
import { MeshrootError } from '../../lib/errors.ts';

/**
 * `+400d`, `-2h` (from `now`), `2027-01-31` or a full ISO date in UTC, in ms.
 * @throws MeshrootError `bad-date`
 */
export function pointInTime(text: string, now: number): number {
  if (/^[+-]\d/.test(text)) return now + parseDuration(text);
  const iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?$/.test(text);
  const ms = iso ? Date.parse(/T/.test(text) && !text.endsWith('Z') ? `${text}Z` : text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new MeshrootError('bad-date', `"${text}" is not a point in time`, {
    hint: 'write for example +400d, 2027-01-31 or 2027-01-31T12:00:00Z',
  });
}
