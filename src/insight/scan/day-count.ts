import { days } from '../../lib/duration.ts';

/** `736d ago`, `in 22d`, `within a day`: the day count that stands beside a date. */
export function agoOrIn(then: number, now: number): string {
  const count = Math.floor(Math.abs(then - now) / days(1));
  if (count === 0) return 'within a day';
  return then < now ? `${count}d ago` : `in ${count}d`;
}
