import { type Certificate, isSelfSigned, isSignedBy } from '../x509/certificate.ts';
import { judgeValidity } from '../x509/chain.ts';
import { describeCertificate } from '../x509/describe.ts';
import type { Finding } from '../x509/finding.ts';
import { keyTypeOf } from '../x509/keys.ts';
import { forbiddenNames } from '../x509/name-constraints.ts';
import { bundleFiles } from './bundle.ts';

/** The rules about a bundle's certificates that istiod itself does not check. */

/** istiod loads an RSA-1024 CA without a word. */
export function judgeKeySize(ca: Certificate): Finding[] {
  const bits = Number(/^rsa-(\d+)$/.exec(keyTypeOf(ca.publicKey) ?? '')?.[1] ?? Number.POSITIVE_INFINITY);
  if (bits >= 2048) return [];
  const message = `${describeCertificate(ca)} has an RSA key of only ${bits} bits`;
  return [
    { code: 'weak-key', message, hint: 'issue it again with rsa-2048 or more, or ec-p256', certificate: ca },
  ];
}

export function judgeTrustDomain(path: readonly Certificate[], trustDomain: string | undefined): Finding[] {
  if (trustDomain === undefined) return [];
  const uri = [`spiffe://${trustDomain}/`];
  return path.flatMap((certificate) => {
    const constraints = certificate.nameConstraints;
    if (
      constraints === undefined ||
      forbiddenNames(constraints, { dns: [], uri, ip: [], email: [] }).length === 0
    )
      return [];
    const message = `${describeCertificate(certificate)} does not permit names of the trust domain ${trustDomain}`;
    return [
      { code: 'name-not-permitted', message, hint: 'issue it without that name constraint', certificate },
    ];
  });
}

/**
 * What istiod never looks at and every peer depends on: the file begins with ca-cert, each certificate is followed
 * by its issuer, nothing in it has ended. A CA that is itself a root may have an empty chain.
 */
export function judgeChainFile(
  ca: Certificate,
  chain: readonly Certificate[],
  roots: readonly Certificate[],
  now: number,
): Finding[] {
  const among = (one: Certificate, others: readonly Certificate[]) =>
    others.some((c) => c.der.equals(one.der));
  if (chain.length === 0 && among(ca, roots)) return [];
  if (!among(ca, chain)) {
    const message = `${bundleFiles.certChain} does not hold ${describeCertificate(ca)} of ${bundleFiles.caCert}`;
    const hint = 'write ca-cert.pem, then its issuers, into it: peers get this file and nothing else';
    return [{ code: 'chain-lacks-ca', message, hint, certificate: ca }];
  }
  const unique = chain.filter((one, i) => chain.findIndex((c) => c.der.equals(one.der)) === i);
  const disordered = unique.find((one, i) =>
    i === 0 ? !one.der.equals(ca.der) : !follows(one, unique[i - 1]),
  );
  const ended = unique
    .filter((one) => !one.der.equals(ca.der) && !among(one, roots))
    .flatMap((c) => judgeValidity(c, now));
  return [
    ...(disordered === undefined ? [] : [chainDisorder(disordered)]),
    ...ended,
    ...(unique.length === chain.length ? [] : [duplicates(bundleFiles.certChain)]),
  ];
}

/** Several roots may stand at the end side by side: a self-signed one need not have signed its neighbour. */
const follows = (issuer: Certificate, child: Certificate | undefined): boolean =>
  child === undefined || isSignedBy(child, issuer) || (isSelfSigned(issuer) && isSelfSigned(child));

const chainDisorder = (certificate: Certificate): Finding => ({
  code: 'chain-out-of-order',
  message: `${describeCertificate(certificate)} stands in the wrong place of ${bundleFiles.certChain}`,
  hint: 'order it: ca-cert first, each certificate followed by its issuer, the root last',
  certificate,
});

const duplicates = (file: string): Finding => ({
  code: 'duplicate-certificate',
  message: `${file} holds a certificate twice`,
  hint: 'leave one of them out: every handshake carries them all',
  severity: 'warning',
});

/** An intermediate as anchor works for Go and Envoy, and fails for OpenSSL and Node. */
export function judgeRoots(
  roots: readonly Certificate[],
  now: number,
  chain: readonly Certificate[],
): Finding[] {
  const unique = new Set(roots.map(({ fingerprint }) => fingerprint)).size === roots.length;
  const anchors = roots.filter((root) => !isSelfSigned(root));
  const used = (root: Certificate) => chain.some((c) => isSignedBy(c, root));
  return [
    ...anchors.map((certificate) => ({
      code: 'root-not-self-signed',
      message: `${describeCertificate(certificate)} in ${bundleFiles.rootCert} is an intermediate, not a root`,
      hint: 'OpenSSL and Node refuse it as an anchor: put the self-signed root there',
      certificate,
    })),
    // the root in use is judged with the chain; one beside it may end without harm
    ...roots
      .filter((root) => !used(root))
      .flatMap((root) => judgeValidity(root, now))
      .map((finding) => ({ ...finding, severity: 'warning' as const })),
    ...(unique ? [] : [duplicates(bundleFiles.rootCert)]),
  ];
}
