import { domainToASCII } from 'node:url';
import type { OtherName } from '../../../x509/alt-names.ts';
import { globMatches } from './glob.ts';
import type { Role } from './role.ts';

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const hostname = new RegExp(`^(?:\\*\\.)?(?:${label}\\.)*${label}\\.?$`);
const wildcard = new RegExp(`^(?:\\*|\\*${label}|${label}\\*|${label}\\*${label})$`);
/** Longer ones are no names, and would only cost time. */
const maxName = 1000;

/** The ASCII form of a DNS name; undefined when it has none. */
export function asciiName(name: string): string | undefined {
  if (name.length > maxName) return undefined;
  const ascii = /^[\x20-\x7e]*$/.test(name) ? name : domainToASCII(name);
  const labels = ascii.replace(/\.$/, '').split('.');
  if (ascii === '' || ascii.length > 254 || labels.some((one) => one === '' || one.length > 63))
    return undefined;
  return ascii;
}

export const isHostname = (name: string): boolean => hostname.test(name);

/** The first DNS or e-mail name that the role does not allow. */
export function forbiddenName(role: Role, names: readonly string[], displayName: string): string | undefined {
  return names.find((name) => !isAllowed(role, name, displayName));
}

interface Asked {
  readonly name: string;
  /** Behind the `@`, and without a wildcard label. */
  readonly reduced: string;
  readonly isEmail: boolean;
  readonly wildcardLabel: string;
}

function isAllowed(role: Role, name: string, displayName: string): boolean {
  const asked = name.length > maxName ? undefined : takeApart(role, name);
  if (asked === undefined) return false;
  if (role.enforce_hostnames && !isProper(asked)) return false;
  return (
    role.allow_any_name ||
    allowsLocal(role, asked) ||
    (role.allow_token_displayname && allowsDisplayName(role, asked, displayName)) ||
    role.allowed_domains.some((domain) => allowsDomain(role, asked, domain))
  );
}

function takeApart(role: Role, name: string): Asked | undefined {
  const [, behind, more] = name.split('@');
  if (more !== undefined) return undefined;
  const isEmail = behind !== undefined;
  const whole = behind ?? name;
  if (!whole.includes('*')) return { name, reduced: whole, isEmail, wildcardLabel: '' };
  const dot = whole.indexOf('.');
  const [wildcardLabel, reduced] = [whole.slice(0, dot), whole.slice(dot + 1)];
  const isOne = dot !== -1 && whole.split('*').length === 2 && wildcardLabel.includes('*');
  if (!role.allow_wildcard_certificates || isEmail || !isOne) return undefined;
  return { name, reduced, isEmail, wildcardLabel };
}

function isProper({ reduced, wildcardLabel }: Asked): boolean {
  const ascii = reduced === '' ? '' : asciiName(reduced);
  if (ascii === undefined || (ascii !== '' && !hostname.test(ascii))) return false;
  return wildcardLabel === '' || wildcard.test(wildcardLabel);
}

const below = (asked: Asked, domain: string): boolean =>
  asked.reduced.endsWith(`.${domain}`) || (asked.wildcardLabel !== '' && sameName(asked.reduced, domain));

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function allowsLocal(role: Role, asked: Asked): boolean {
  if (!role.allow_localhost) return false;
  return ['localhost', 'localdomain'].some(
    (local) =>
      (asked.reduced === local && asked.wildcardLabel === '') ||
      (role.allow_subdomains && below(asked, local)),
  );
}

function allowsDisplayName(role: Role, asked: Asked, displayName: string): boolean {
  if (displayName === '') return false;
  if (asked.name === displayName) return true;
  const [, domain = displayName] = displayName.split('@');
  return role.allow_subdomains && below(asked, asked.isEmail ? domain : displayName);
}

function allowsDomain(role: Role, asked: Asked, domain: string): boolean {
  if (domain === '') return false;
  if (
    role.allow_bare_domains &&
    (sameName(asked.name, domain) || (asked.isEmail && sameName(asked.reduced, domain)))
  )
    return true;
  if (role.allow_subdomains && below(asked, domain)) return true;
  return role.allow_glob_domains && domain.includes('*') && globMatches(domain, asked.name);
}

/** Whether the role lets a common name through, by its names and its `cn_validations`. */
export function allowsCommonName(role: Role, name: string, displayName: string): boolean {
  const { cn_validations: validations } = role;
  if (validations.length === 1 && validations[0] === 'disabled') return true;
  if (!isAllowed(role, name, displayName)) return false;
  return validations.length === 0 || validations.includes(name.includes('@') ? 'email' : 'hostname');
}

/** SPIFFE identities are such URIs: `spiffe://cluster.local/ns/*`. */
export function allowsUri(role: Role, uri: string): boolean {
  return role.allowed_uri_sans.some((pattern) => globMatches(pattern, uri));
}

export const allowsSerial = (role: Role, serial: string): boolean =>
  role.allowed_serial_numbers.some(
    (pattern) =>
      pattern !== '' && (pattern.includes('*') ? globMatches(pattern, serial) : pattern === serial),
  );

export const allowsUserId = (role: Role, id: string): boolean =>
  role.allowed_user_ids.some(
    (pattern) =>
      pattern !== '' && (sameName(pattern, id) || (pattern.includes('*') && globMatches(pattern, id))),
  );

/** Names like `1.2.3;UTF8:text`. @throws what `fail` makes of the reason */
export function parseOtherNames(texts: readonly string[], fail: (text: string) => Error): OtherName[] {
  return texts.map((text) => {
    const semicolon = text.indexOf(';');
    if (semicolon === -1) throw fail(`expected a semicolon in other SAN ${JSON.stringify(text)}`);
    const rest = text.slice(semicolon + 1);
    const colon = rest.indexOf(':');
    if (colon === -1) throw fail(`expected a colon in other SAN ${JSON.stringify(text)}`);
    if (!/^utf-?8$/i.test(rest.slice(0, colon))) {
      throw fail(
        `only utf8 other SANs are supported; found non-supported type in other SAN ${JSON.stringify(text)}`,
      );
    }
    return { oid: text.slice(0, semicolon), value: rest.slice(colon + 1) };
  });
}

/** Why the role does not allow these, or undefined. */
export function forbiddenOtherName(role: Role, names: readonly OtherName[]): string | undefined {
  const { allowed_other_sans: patterns } = role;
  if (patterns.length === 1 && patterns[0] === '*') return undefined;
  const allowed = parseOtherNames(patterns, (text) => new Error(text));
  for (const { oid, value } of names) {
    const same = allowed.filter((one) => one.oid === oid);
    if (same.length === 0) return `other SAN OID ${oid} not allowed by this role`;
    if (!same.some((one) => globMatches(one.value, value))) {
      return `other SAN ${value} not allowed for OID ${oid} by this role`;
    }
  }
  return undefined;
}
