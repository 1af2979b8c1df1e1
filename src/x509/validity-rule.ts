import { days, humanDuration } from '../lib/duration.ts';
import { MeshrootError } from '../lib/errors.ts';
import type { Finding } from './finding.ts';

/**
 * The one rule of lifetimes (invariant 2): what is signed never outlives its signer, and every lease on the way
 * lasts at least until its holder comes back for the next. Issuing, plan, scan and rotation all ask here.
 */

/** Anything that ends: a certificate, or what will become one. Milliseconds since the epoch. */
export interface Ending {
  readonly notAfter: number;
}

/** Whether `child` would still be valid when its issuer no longer is. */
export const outlives = (child: Ending, issuer: Ending): boolean => child.notAfter > issuer.notAfter;

/** Issuing: the wanted end, or the issuer's when that comes first. */
export const clampNotAfter = (wanted: number, issuer: Ending): number => Math.min(wanted, issuer.notAfter);

/** Issuing without a clamp: refuses what would outlive its issuer. @throws MeshrootError `outlives-issuer` */
export function requireWithin(wanted: number, issuer: Ending, what: string): number {
  if (!outlives({ notAfter: wanted }, issuer)) return wanted;
  throw new MeshrootError(
    'outlives-issuer',
    `${what} would end ${isoDay(wanted)}, after its issuer (${isoDay(issuer.notAfter)})`,
    { hint: 'ask for a shorter ttl, or renew the issuer first', exit: 1 },
  );
}

export interface NamedEnding extends Ending {
  readonly name: string;
}

/**
 * Makefiles that give root and intermediate the same number of days overshoot by the seconds between the two
 * commands. That breaks the rule, but nobody's mesh: below this excess a finding is a warning.
 */
const harmlessExcess = days(1);

/** Scanning: a found chain, leaf first. One finding per link that is the wrong way round. */
export function judgeNesting(chain: readonly NamedEnding[]): Finding[] {
  return chain.flatMap((child, i) => {
    const issuer = chain[i + 1];
    if (issuer === undefined || !outlives(child, issuer)) return [];
    const excess = child.notAfter - issuer.notAfter;
    const ends = `${isoDay(issuer.notAfter)} (${humanDuration(excess)} earlier)`;
    const message = `${child.name} to ${isoDay(child.notAfter)}, its issuer ${issuer.name} to ${ends}`;
    const hint = 'renew the issuer, then issue this certificate again';
    const severity = excess < harmlessExcess ? ({ severity: 'warning' } as const) : {};
    return [{ code: 'leaf-outlives-issuer', message, hint, ...severity }];
  });
}

/** A wanted lifetime: how long it is good for, and when after its issue the holder asks for the next. In ms. */
export interface WantedLifetime {
  readonly name: string;
  readonly ttl: number;
  readonly renewAfter: number;
}

/** The share of its life after which a certificate is renewed unless told otherwise; pilot-agent's own ratio. */
export const defaultRenewRatio = 0.5;

/**
 * Planning: lifetimes that are wanted, root first. A child issued just before its parent is renewed still has to
 * fit into what is left of the parent; a lease has to last until its holder comes back.
 */
export function judgeWanted(
  certificates: readonly WantedLifetime[],
  leases: readonly WantedLifetime[] = [],
): Finding[] {
  const nested = certificates.flatMap((parent, i) => {
    const child = certificates[i + 1];
    return child === undefined ? [] : judgePair(parent, child);
  });
  return [...nested, ...[...certificates, ...leases].flatMap(judgeWindow)];
}

function judgePair(parent: WantedLifetime, child: WantedLifetime): Finding[] {
  const ttl = humanDuration(child.ttl);
  if (child.ttl > parent.ttl) {
    const message = `${child.name} is to live ${ttl}, longer than ${parent.name} (${humanDuration(parent.ttl)})`;
    return [
      { code: 'ttl-outlives-issuer', message, hint: `shorten ${child.name} or lengthen ${parent.name}` },
    ];
  }
  const left = parent.ttl - parent.renewAfter;
  if (child.ttl <= left) return [];
  return [
    {
      code: 'ttl-cut-short',
      message: `${child.name} is to live ${ttl}, but just before its renewal ${parent.name} has only ${humanDuration(left)} left`,
      hint: `renew ${parent.name} after ${humanDuration(Math.max(parent.ttl - child.ttl, 0))} or sooner`,
    },
  ];
}

function judgeWindow({ name, ttl, renewAfter }: WantedLifetime): Finding[] {
  if (ttl > renewAfter) return [];
  return [
    {
      code: 'lease-too-short',
      message: `${name} ends after ${humanDuration(ttl)}, but its holder comes back after ${humanDuration(renewAfter)}`,
      hint: `let ${name} last longer than ${humanDuration(renewAfter)}`,
    },
  ];
}

/** `2024-11-16`, UTC. */
export const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
