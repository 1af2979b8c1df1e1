import { goDuration } from '../../../lib/duration.ts';
import { clampNotAfter, outlives } from '../../../x509/validity-rule.ts';
import type { Context } from '../../core/backend.ts';
import { numberOf, textOf } from '../../core/fields.ts';
import { effectiveDefaultTtl, effectiveMaxTtl } from '../../core/mount-entry.ts';
import { refuse } from '../../core/refusal.ts';
import { goTime } from './format.ts';
import type { Role } from './role.ts';
import type { LeafNotAfter } from './store.ts';

export interface Validity {
  /** Milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly warnings: readonly string[];
}

/** Who signs, and what happens to a certificate that would outlive it; undefined for a root. */
export interface Bound {
  readonly notAfter: number;
  readonly behavior: LeafNotAfter;
}

/** From when to when: request, role, mount, then the issuer's end. @throws Refusal 400 */
export function validityOf(context: Context, role: Role, bound: Bound | undefined): Validity {
  const now = context.clock.now();
  const { end, warnings } = wantedEnd(context, role, now);
  const notAfter = bound === undefined ? end : withinIssuer(end, bound, now);
  checkTimestampBound(role, notAfter);
  const notBefore = startOf(context, role, now);
  if (notBefore >= notAfter) {
    const relation = notBefore === notAfter ? 'equal to' : 'later than';
    throw refuse(
      `The certificate's Not Before (${goTime(notBefore)}) is ${relation} the certificate's Not After (${goTime(notAfter)})`,
    );
  }
  return { notBefore, notAfter, warnings };
}

function wantedEnd(
  { fields, mount }: Context,
  role: Role,
  now: number,
): { readonly end: number; readonly warnings: readonly string[] } {
  const asked = textOf(fields, 'not_after');
  if (asked !== '' && role.not_after === '' && role.not_after_bound === 'forbid') {
    throw refuse('not_after_bound is set to forbid. not_after cannot be provided.');
  }
  const fixed = role.not_after === '' ? asked : role.not_after;
  const askedTtl = numberOf(fields, 'ttl');
  if (askedTtl > 0 && fixed !== '') {
    throw refuse(
      'Either ttl or not_after should be provided. Both should not be provided in the same request.',
    );
  }
  const wanted = askedTtl > 0 ? askedTtl : role.ttl > 0 ? role.ttl : effectiveDefaultTtl(mount);
  const max = role.max_ttl > 0 ? role.max_ttl : effectiveMaxTtl(mount);
  const ttl = Math.min(wanted, max);
  const warnings =
    wanted > max
      ? [
          `TTL "${goDuration(wanted * 1000)}" is longer than permitted maxTTL "${goDuration(max * 1000)}", so maxTTL is being used`,
        ]
      : [];
  if (fixed === '') return { end: now + ttl * 1000, warnings };
  const end = timeOf(fixed);
  if (role.not_after_bound === 'ttl-limited' && end > now + ttl * 1000) {
    throw refuse(
      `not_after_bound is set to ttl-limited. Cannot satisfy request as that would result in notAfter of ${goTime(end)} that is beyond the TTL of ${goDuration(ttl * 1000)}`,
    );
  }
  return { end, warnings };
}

/** RFC 3339 only, as Go's parser is. @throws Refusal 400 */
function timeOf(text: string): number {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw refuse(
      `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(text)} as "2006"`,
    );
  }
  return ms;
}

function withinIssuer(end: number, issuer: Bound, now: number): number {
  if (!outlives({ notAfter: end }, issuer) || issuer.behavior === 'permit') return end;
  if (issuer.behavior === 'truncate' && issuer.notAfter > now) return clampNotAfter(end, issuer);
  throw refuse(
    `cannot satisfy request, as TTL would result in notAfter of ${goTime(end)} that is beyond the expiration of the CA certificate at ${goTime(issuer.notAfter)}`,
    400,
    'outlives-issuer',
  );
}

function checkTimestampBound({ not_after_bound: bound }: Role, notAfter: number): void {
  if (['', 'permit', 'forbid', 'ttl-limited'].includes(bound) || notAfter <= Date.parse(bound)) return;
  throw refuse(
    `not_after_bound is set to ${bound}. Cannot statisfy request as that would result in notAfter of ${goTime(notAfter)} that is beyond the maximum timestamp of ${goTime(Date.parse(bound))}`,
  );
}

function startOf({ fields }: Context, role: Role, now: number): number {
  const usual = now - (role.not_before_duration > 0 ? role.not_before_duration : 30) * 1000;
  if (role.not_before !== '') return timeOf(role.not_before);
  const asked = textOf(fields, 'not_before');
  if (asked === '') return usual;
  const { not_before_bound: bound } = role;
  if (bound === 'forbid') throw refuse('not_before_bound is set to forbid. not_before cannot be provided.');
  const start = timeOf(asked);
  if (bound === 'duration' && start < usual) {
    throw refuse(
      `not_before_bound is set to duration. Cannot satisfy request as it would result in notBefore of ${goTime(start)} that is older than the allowed not_before_duration of ${goDuration(role.not_before_duration * 1000)}`,
    );
  }
  return start;
}
