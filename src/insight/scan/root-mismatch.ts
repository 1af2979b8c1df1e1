import { type Certificate, isSignedBy, parseCertificates } from '../../x509/certificate.ts';
import type { ScanFinding, ScannedBundle } from './input.ts';
import type { RuleContext } from './rule.ts';

interface Side {
  readonly bundle: ScannedBundle;
  readonly roots: readonly Certificate[];
  /** The root under which this cluster's certificates end. */
  readonly anchor: Certificate;
}

/**
 * Istio bundles under one path are the clusters of one mesh: each has to trust the root that the others are signed
 * under. Bundles of several roots, as during a rotation, are fine as long as that holds.
 */
export function judgeRootsAcross({ input }: RuleContext): ScanFinding[] {
  const sides = input.bundles.filter(({ layout }) => layout === 'istio').flatMap(sideOf);
  return sides.flatMap((verifier): ScanFinding[] => {
    const strangers = sides.filter(
      ({ anchor }) => !verifier.roots.some((root) => root.der.equals(anchor.der)),
    );
    const [first] = strangers;
    if (first === undefined) return [];
    const others = strangers.length === 1 ? '' : ` and ${strangers.length - 1} more`;
    const message = `does not trust the root of ${first.bundle.folder}${others} (sha256 ${short(first.anchor)}): their workloads are refused`;
    const hint =
      'sign every intermediate with one root; while changing it, let every root-cert.pem hold both';
    return [{ code: 'root-mismatch', message, hint, file: verifier.bundle.paths.rootCert }];
  });
}

const short = ({ fingerprint }: Certificate): string => `${fingerprint.slice(0, 16)}…`;

function sideOf(bundle: ScannedBundle): Side[] {
  try {
    const roots = parseCertificates(bundle.texts.rootCert);
    const path = [
      ...parseCertificates(bundle.texts.caCert).slice(0, 1),
      ...parseCertificates(bundle.texts.certChain),
    ];
    const anchor = roots.find((root) => path.some((c) => isSignedBy(c, root)));
    return anchor === undefined ? [] : [{ bundle, roots, anchor }];
  } catch {
    return []; // told when it was read
  }
}
