import { type Certificate, isSignedBy } from './certificate.ts';
import { describeCertificate } from './describe.ts';
import type { Finding } from './finding.ts';
import { forbiddenNames } from './name-constraints.ts';
import { isoDay } from './validity-rule.ts';

export type { Finding } from './finding.ts';

export interface ChainOptions {
  readonly leaf: Certificate;
  /** As presented: leaf side first. The root may stand at the end. */
  readonly intermediates: readonly Certificate[];
  /** Trusted. */
  readonly roots: readonly Certificate[];
  readonly now: number;
  /** `ca`: the leaf itself is to sign. Without a purpose extended key usages are not looked at. */
  readonly purpose?: 'server' | 'client' | 'ca';
}

/**
 * Judges a presented chain as a careful verifier of a mesh would (RFC 5280, 6.1): signatures, validity, CA bits,
 * keyCertSign, path lengths, name constraints, purposes, order. Knows nothing about how it was built.
 * @returns every fault, worst first by place from the leaf up; [] = accepted
 */
export function judgeChain(options: ChainOptions): Finding[] {
  const { path, findings } = buildPath(options);
  const judged = path.flatMap((certificate, depth) => [
    ...judgeValidity(certificate, options.now),
    ...judgeCritical(certificate),
    ...(depth > 0 ? judgeSigner(certificate, path, depth, options.purpose) : []),
    ...judgePurpose(certificate, depth, options.purpose),
  ]);
  if (options.purpose === 'ca') judged.push(...judgeCaBits(options.leaf));
  return [...findings, ...judged];
}

interface Path {
  /** Leaf first; ends with the trusted root when one was found. */
  readonly path: readonly Certificate[];
  readonly findings: readonly Finding[];
}

function buildPath({ leaf, intermediates, roots }: ChainOptions): Path {
  const path = [leaf];
  const findings: Finding[] = [];
  if (isAmong(leaf, roots)) return { path, findings };
  const left = intermediates.filter((c) => !isAmong(c, roots) && !isAmong(c, path));
  for (let current = leaf; ; ) {
    const root = roots.find((candidate) => isSignedBy(current, candidate));
    if (root !== undefined) return { path: [...path, root], findings };
    const next = left.findIndex((candidate) => isSignedBy(current, candidate));
    const [issuer] = next === -1 ? [] : left.splice(next, 1);
    if (issuer === undefined)
      return { path, findings: [...findings, noIssuer(current, [...left, ...roots])] };
    if (next > 0) findings.push(outOfOrder(issuer, current));
    path.push(issuer);
    current = issuer;
  }
}

/** Nobody signed it. A candidate of the right name means that the signature or key is wrong, not that one is missing. */
function noIssuer(certificate: Certificate, candidates: readonly Certificate[]): Finding {
  const name = describeCertificate(certificate);
  const namesake = candidates.find((c) => c.subjectDer.equals(certificate.issuerDer) && c !== certificate);
  return namesake === undefined
    ? {
        code: 'chain-incomplete',
        message: `no certificate of the chain or the roots issued ${name}`,
        hint: 'present every intermediate between the leaf and a trusted root',
        certificate,
      }
    : {
        code: 'bad-signature',
        message: `${name} names ${describeCertificate(namesake)} as its issuer, but was not signed with that key`,
        hint: 'the issuer was probably replaced by one of the same name: take the certificates of one issue',
        certificate,
      };
}

const outOfOrder = (issuer: Certificate, child: Certificate): Finding => ({
  code: 'chain-out-of-order',
  message: `${describeCertificate(issuer)} does not stand right after ${describeCertificate(child)}, which it signed`,
  hint: 'order the chain leaf first, each followed by its issuer',
  certificate: issuer,
});

/** Not yet valid, or ended, at `now`. */
export function judgeValidity(certificate: Certificate, now: number): Finding[] {
  const name = describeCertificate(certificate);
  if (now < certificate.notBefore) {
    const message = `${name} is not valid before ${isoDay(certificate.notBefore)}`;
    return [
      { code: 'not-yet-valid', message, hint: 'compare the clocks of issuer and verifier', certificate },
    ];
  }
  if (now <= certificate.notAfter) return [];
  return [
    {
      code: 'expired',
      message: `${name} ended ${isoDay(certificate.notAfter)}`,
      hint: 'renew it',
      certificate,
    },
  ];
}

function judgeCritical(certificate: Certificate): Finding[] {
  return certificate.unknownCritical.map((oid) => ({
    code: 'unknown-critical-extension',
    message: `${describeCertificate(certificate)} has a critical extension ${oid} that is not understood`,
    certificate,
  }));
}

/** What a certificate that signed another has to be. */
function judgeSigner(
  certificate: Certificate,
  path: readonly Certificate[],
  depth: number,
  purpose: ChainOptions['purpose'],
): Finding[] {
  const findings = judgeCaBits(certificate);
  const name = describeCertificate(certificate);
  // self-issued certificates do not count (RFC 5280, 4.2.1.9); a CA that is judged as such will have leaves below
  const first = purpose === 'ca' && path[0]?.isCa === true ? 0 : 1;
  const below = path.slice(first, depth).filter((c) => !c.subjectDer.equals(c.issuerDer)).length;
  if (certificate.pathLength !== undefined && below > certificate.pathLength) {
    const message = `${name} allows ${certificate.pathLength} CAs below itself, the chain has ${below}`;
    findings.push({ code: 'path-too-long', message, certificate });
  }
  if (certificate.nameConstraints !== undefined) {
    const { nameConstraints } = certificate;
    const bad = path.slice(0, depth).flatMap((c) => forbiddenNames(nameConstraints, c.sans));
    for (const one of bad) {
      findings.push({
        code: 'name-not-permitted',
        message: `${name} does not permit the name ${one}`,
        certificate,
      });
    }
  }
  return findings;
}

/** CA flag and keyCertSign. */
export function judgeCaBits(certificate: Certificate): Finding[] {
  const name = describeCertificate(certificate);
  if (!certificate.isCa) {
    const message = `${name} is not a CA and must not sign others`;
    return [
      {
        code: 'not-a-ca',
        message,
        hint: 'this is an end-entity certificate: use the one of the CA',
        certificate,
      },
    ];
  }
  if (certificate.keyUsage?.has('keyCertSign') !== false) return [];
  const message = `${name} is a CA, but its key usage lacks keyCertSign`;
  return [{ code: 'missing-key-cert-sign', message, hint: 'issue it again with keyCertSign', certificate }];
}

const wanted = { server: 'serverAuth', client: 'clientAuth' } as const;

/** A list of purposes on a CA narrows everything below it, as Go, OpenSSL and BoringSSL agree. */
function judgePurpose(certificate: Certificate, depth: number, purpose: ChainOptions['purpose']): Finding[] {
  // istiod verifies its own CA certificate for serverAuth
  const needed = purpose === undefined ? undefined : purpose === 'ca' ? 'serverAuth' : wanted[purpose];
  const usages = certificate.extendedKeyUsage;
  if (needed === undefined || usages === undefined || usages.includes(needed) || usages.includes('any'))
    return [];
  const place = depth === 0 ? '' : ' (a CA above the leaf)';
  const message = `${describeCertificate(certificate)}${place} is not for ${needed}, only for ${usages.join(', ')}`;
  return [{ code: 'wrong-purpose', message, certificate }];
}

const isAmong = (certificate: Certificate, others: readonly Certificate[]): boolean =>
  others.some((other) => other.der.equals(certificate.der));
