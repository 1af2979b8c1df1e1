import { messageOf } from '../../../lib/errors.ts';
import type { Context } from '../../core/backend.ts';
import { type Fields, toSeconds } from '../../core/fields.ts';
import { refuse } from '../../core/refusal.ts';
import type { TokenRole } from './role-store.ts';

/** All in seconds, 0 = not said. */
export interface Lifetime {
  readonly ttl: number;
  readonly explicitMaxTtl: number;
  readonly period: number;
  readonly warnings: readonly string[];
}

/** How long a new token may live: what was asked for, narrowed by the role. @throws Refusal 400 */
export function lifetimeOf(
  { fields }: Context,
  isSudo: boolean,
  type: 'service' | 'batch',
  role: TokenRole | undefined,
): Lifetime {
  const explicitMaxTtl = durationOf(fields, 'explicit_max_ttl');
  const period = durationOf(fields, 'period');
  if (period > 0 && !isSudo) throw refuse('root or sudo privileges required to create periodic token');
  const ttl = durationOf(fields, 'ttl') || durationOf(fields, 'lease');
  if (role === undefined || type === 'batch') return { ttl, explicitMaxTtl, period, warnings: [] };
  const max = lesser(explicitMaxTtl, role.tokens.explicitMaxTtl, 'Explicit max TTL');
  const each = lesser(period, role.tokens.period, 'Period');
  return {
    ttl,
    explicitMaxTtl: max.value,
    period: each.value,
    warnings: [...max.warnings, ...each.warnings],
  };
}

/** A field in seconds, 0 when it was not sent. @throws Refusal 400 */
export function durationOf(fields: Fields, name: string): number {
  let seconds: number;
  try {
    seconds = fields[name] === undefined ? 0 : toSeconds(fields[name]);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  if (seconds < 0) throw refuse(`${name} must be positive`);
  return seconds;
}

function lesser(
  asked: number,
  ofRole: number,
  what: string,
): { readonly value: number; readonly warnings: readonly string[] } {
  if (asked === 0 || ofRole === 0) return { value: asked || ofRole, warnings: [] };
  const value = Math.min(asked, ofRole);
  const text = `${what} specified both during creation call and in role; using the lesser value of ${value} seconds`;
  return { value, warnings: [text] };
}
