import type { SubjectAltNames } from './alt-names.ts';
import { DerReader } from './der/reader.ts';
import { contextTag, explicitTag, tags } from './der/tags.ts';
import { readAscii } from './der/values.ts';

/** Subtrees of the kinds that a mesh uses (RFC 5280, 4.2.1.10): DNS suffixes, and hosts of URIs. */
export interface NameConstraints {
  readonly permitted: { readonly dns: readonly string[]; readonly uri: readonly string[] };
  readonly excluded: { readonly dns: readonly string[]; readonly uri: readonly string[] };
}

/** @throws MeshrootError `bad-der` */
export function decodeNameConstraints(bytes: Buffer): NameConstraints {
  const outer = new DerReader(bytes);
  const reader = outer.enter(tags.sequence, 'name constraints');
  outer.end('name constraints');
  const permitted = subtrees(reader, 0);
  const excluded = subtrees(reader, 1);
  reader.end('name constraints');
  return { permitted, excluded };
}

function subtrees(reader: DerReader, n: number): { dns: string[]; uri: string[] } {
  const found = { dns: [] as string[], uri: [] as string[] };
  const list = reader.optional(explicitTag(n), 'name subtrees');
  if (list === undefined) return found;
  const inside = reader.inside(list);
  while (!inside.done) {
    const { tag, content } = inside.enter(tags.sequence, 'a name subtree').next(undefined, 'a name subtree');
    if (tag === contextTag(2)) found.dns.push(readAscii(content));
    if (tag === contextTag(6)) found.uri.push(readAscii(content));
  }
  return found;
}

/** Names among `sans` that the constraints forbid. For a SPIFFE id the trust domain is the URI's host. */
export function forbiddenNames({ permitted, excluded }: NameConstraints, sans: SubjectAltNames): string[] {
  const dns = sans.dns.filter((name) => !allowed(name, permitted.dns, excluded.dns, dnsWithin));
  const uri = sans.uri.filter((name) => !allowed(hostOf(name), permitted.uri, excluded.uri, hostWithin));
  return [...dns, ...uri];
}

function allowed(
  name: string,
  permitted: readonly string[],
  excluded: readonly string[],
  within: (name: string, tree: string) => boolean,
): boolean {
  if (excluded.some((tree) => within(name, tree))) return false;
  return permitted.length === 0 || permitted.some((tree) => within(name, tree));
}

/** `a.example` is within `example` and `.example`; everything is within the empty tree. */
function dnsWithin(name: string, tree: string): boolean {
  const suffix = tree.toLowerCase().replace(/^\./, '');
  const lower = name.toLowerCase();
  return suffix === '' || lower.endsWith(`.${suffix}`) || (lower === suffix && !tree.startsWith('.'));
}

/** A URI tree is one host, or with a leading dot all hosts below it. */
function hostWithin(host: string, tree: string): boolean {
  const lower = tree.toLowerCase();
  return lower.startsWith('.') ? host.endsWith(lower) : host === lower;
}

const hostOf = (uri: string): string =>
  /^[a-z][a-z0-9+.-]*:\/\/([^/?#:]*)/i.exec(uri)?.[1]?.toLowerCase() ?? '';
