import { type Certificate, parseCertificate } from '../../../x509/certificate.ts';
import { judgeChain } from '../../../x509/chain.ts';
import { type Refusal, refuse } from '../../core/refusal.ts';
import type { VaultRequest } from '../../core/request.ts';
import type { StorageView } from '../../core/storage.ts';
import { globMatches } from '../../policy/parameters.ts';
import { meetsExtensionRules } from './extension-rules.ts';
import { isRevoked } from './revoked.ts';
import { trustedCertificates } from './schema.ts';
import { type CertRole, roles } from './store.ts';

const maxChain = 10;

/** What the client showed on its connection, leaf first. @throws Refusal 400 without any */
export function shownCertificates(request: VaultRequest): readonly [Certificate, ...Certificate[]] {
  const shown = request.peerCertificates?.() ?? [];
  try {
    const [leaf, ...rest] = shown.slice(0, maxChain).map((der) => parseCertificate(der));
    if (leaf !== undefined) return [leaf, ...rest];
  } catch {
    throw noMatch();
  }
  throw refuse('no client certificate found', 400, 'login-no-certificate');
}

const noMatch = (): Refusal =>
  refuse('invalid certificate or no client certificate supplied', 400, 'login-certificate-untrusted');

/**
 * The role that trusts the certificate and whose conditions it meets; only the one of that name if there is a name.
 * @param now milliseconds @throws Refusal 400
 */
export function matchingRole(
  store: StorageView,
  chain: readonly [Certificate, ...Certificate[]],
  name: string,
  now: number,
): CertRole {
  const names = name === '' ? roles.names(store) : [name];
  const trusting = names
    .flatMap((one) => roles.read(store, one) ?? [])
    .filter((role) => trusts(role, chain, now));
  if (trusting.length === 0) throw noMatch();
  const found = isRevoked(store, chain) ? undefined : trusting.find((role) => meets(role, chain[0]));
  if (found !== undefined) return found;
  const text = 'no chain matching all constraints could be found for this login certificate';
  throw refuse(text, 400, 'login-certificate-constraints');
}

function trusts(
  role: CertRole,
  [leaf, ...intermediates]: readonly [Certificate, ...Certificate[]],
  now: number,
): boolean {
  const trusted = trustedCertificates(role);
  const roots = trusted.filter(({ isCa }) => isCa);
  const isPinned = trusted.some((one) => !one.isCa && one.der.equals(leaf.der));
  if (isPinned) return leaf.notBefore <= now && now < leaf.notAfter;
  if (roots.length === 0 || leaf.isCa) return false;
  // A trusted intermediate is an anchor: what it was signed by does not matter.
  const between = [...intermediates, ...trusted].filter((one) => one.isCa);
  return judgeChain({ leaf, intermediates: between, roots, now, purpose: 'client' }).length === 0;
}

function meets(role: CertRole, leaf: Certificate): boolean {
  const { dns, email, uri } = leaf.sans;
  const [common, units] = [subjectValues(leaf, 'CN'), subjectValues(leaf, 'OU')];
  return (
    fits(role.names, [...common, ...dns, ...email]) &&
    fits(role.commonNames, common) &&
    fits(role.dnsSans, dns) &&
    fits(role.emailSans, email) &&
    fits(role.uriSans, uri) &&
    fits(role.organizationalUnits, units) &&
    meetsExtensionRules(role.requiredExtensions ?? [], leaf)
  );
}

/** One of the globs fits one of the values; no globs fit everything. */
function fits(globs: readonly string[] | null, values: readonly string[]): boolean {
  if (globs === null || globs.length === 0) return true;
  return globs.some((glob) => values.some((value) => globMatches(glob, value)));
}

export const subjectValues = ({ subject }: Certificate, type: string): string[] =>
  subject.filter((part) => part.type === type).map(({ value }) => value);
