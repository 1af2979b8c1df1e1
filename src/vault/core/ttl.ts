import { goDuration } from '../../lib/duration.ts';
import { refuse } from './refusal.ts';

/** All in seconds, 0 = not said; `age` is how long ago the token was made. */
export interface TtlQuestion {
  readonly requested: number;
  readonly roleTtl: number;
  readonly roleMaxTtl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly mountDefault: number;
  readonly mountMax: number;
  readonly age: number;
}

/**
 * How long a token lives from now: the request, else the role, else the mount; never past the least of the maxima,
 * counted from its making. A periodic token gets its period each time and is bound by `explicitMaxTtl` alone.
 * @throws Refusal 400 when nothing is left
 */
export function tokenTtl(q: TtlQuestion): { readonly ttl: number; readonly warnings: readonly string[] } {
  const maxTtl = least(q.mountMax, q.period > 0 ? 0 : q.roleMaxTtl, q.explicitMaxTtl);
  const wanted =
    q.period > 0 ? q.period : q.requested > 0 ? q.requested : q.roleTtl > 0 ? q.roleTtl : q.mountDefault;
  const cap = q.period > 0 ? (q.explicitMaxTtl > 0 ? q.explicitMaxTtl - q.age : q.mountMax) : maxTtl - q.age;
  if (cap <= 0) throw refuse('past the max TTL, cannot renew', 400, 'past-max-ttl');
  if (wanted <= cap) return { ttl: wanted, warnings: [] };
  const what = q.period > 0 ? 'period' : 'TTL';
  const text = `${what} of "${brief(wanted)}" exceeded the effective max_ttl of "${brief(cap)}"; ${what} value is capped accordingly`;
  return { ttl: cap, warnings: [text] };
}

function least(...values: readonly number[]): number {
  return Math.min(...values.filter((value) => value > 0));
}

/** `768h`, not `768h0m0s`. */
function brief(seconds: number): string {
  const text = goDuration(seconds * 1000);
  return text.replace(/(?<=[hm])0s$/, '').replace(/(?<=h)0m$/, '');
}
