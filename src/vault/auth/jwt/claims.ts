import { refuse } from '../../core/refusal.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** A claim by its name, or by a JSON pointer (RFC 6901) when it begins with a slash. */
export function claimOf(claims: Claims, name: string): unknown {
  if (!name.startsWith('/')) return Object.hasOwn(claims, name) ? claims[name] : undefined;
  let value: unknown = claims;
  for (const part of name.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** One value, or a list of them; undefined for anything else. */
export function listClaim(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  return ['string', 'boolean', 'number'].includes(typeof value) ? [value] : undefined;
}

/** Every bound claim has one of its values. @throws Refusal 400 */
export function checkBoundClaims(
  bound: Readonly<Record<string, unknown>>,
  kind: 'string' | 'glob',
  claims: Claims,
): void {
  for (const [name, expected] of Object.entries(bound)) {
    const actual = claimOf(claims, name);
    if (actual === undefined || actual === null) throw wrong(`claim "${name}" is missing`);
    const [found, wanted] = [listClaim(actual), listClaim(expected)];
    if (found === undefined) throw wrong('received claim is not a string, bool, int or list');
    const fits = kind === 'glob' ? fitsGlob : Object.is;
    if (wanted?.some((one) => found.some((other) => fits(one, other))) !== true) {
      throw wrong(`claim "${name}" does not match any associated bound claim values`);
    }
  }
}

const wrong = (reason: string): Error => refuse(`error validating claims: ${reason}`, 400, 'jwt-claims');

/** `*` anywhere stands for any text; linear in both, so that a pattern cannot be made to take long. */
function fitsGlob(pattern: unknown, value: unknown): boolean {
  if (typeof pattern !== 'string' || typeof value !== 'string') return false;
  const parts = pattern.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return pattern === value;
  if (!value.startsWith(first) || !value.endsWith(last) || value.length < first.length + last.length) {
    return false;
  }
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = value.indexOf(part, at);
    if (found === -1 || found + part.length > value.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

/** What the role wants to keep of the claims. @throws Refusal 400 */
export function mappedClaims(
  mappings: Readonly<Record<string, string>>,
  claims: Claims,
): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [source, target] of Object.entries(mappings)) {
    const value = claimOf(claims, source);
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') throw refuse(`error converting claim '${source}' to string`);
    metadata[target] = value;
  }
  return metadata;
}
