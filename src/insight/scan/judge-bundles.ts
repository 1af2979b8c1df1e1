import { lintBundleCertificates, lintCaKey } from '../../istio/bundle-lint.ts';
import { isSignedBy, parseCertificates } from '../../x509/certificate.ts';
import { judgeChain } from '../../x509/chain.ts';
import { describeCertificate } from '../../x509/describe.ts';
import type { ScanFinding, ScannedBundle } from './input.ts';
import { isIssuer } from './is-issuer.ts';
import type { RuleContext } from './rule.ts';

/** What the linter of bundles says, except for times, which are judged once per certificate above. */
export function judgeBundles({ input, now }: RuleContext): ScanFinding[] {
  const timeless = ({ code }: { code: string }): boolean => code !== 'expired' && code !== 'not-yet-valid';
  return input.bundles.flatMap((bundle) => {
    const findings = bundle.layout === 'istio' ? lintIstio(bundle, now) : lintTls(bundle, now);
    return findings.filter(timeless).filter(({ code }) => code !== 'bad-certificate'); // told when it was read
  });
}

function lintIstio(bundle: ScannedBundle, now: number): ScanFinding[] {
  const certificates = bundle.missing.length > 0 ? [] : lintBundleCertificates(bundle.texts, now);
  // whether the key fits is asked of every key, and a broken one was told when it was read
  const key = bundle.caKey === undefined ? [] : lintCaKey(bundle.caKey, undefined);
  return [...certificates, ...key.filter(({ code }) => code === 'key-not-first')].map(
    ({ part, ...finding }) => ({
      ...finding,
      file: bundle.paths[part],
    }),
  );
}

/** istiod from 1.27 on refuses to start on a part of the set; before, it made itself a root of its own. */
export function judgeCompleteness({ input }: RuleContext): ScanFinding[] {
  return input.bundles
    .filter(({ missing }) => missing.length > 0)
    .map(({ missing, paths }) => ({
      code: 'bundle-incomplete',
      message: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing beside it`,
      hint: 'istiod needs all four: ca-key.pem, ca-cert.pem, cert-chain.pem, root-cert.pem',
      file: paths.caCert,
    }));
}

function lintTls({ texts, paths }: ScannedBundle, now: number): ScanFinding[] {
  try {
    const [leaf, ...intermediates] = parseCertificates(texts.caCert);
    const roots = parseCertificates(texts.rootCert);
    if (leaf === undefined) return [];
    return judgeChain({ leaf, intermediates, roots, now }).map((finding) => ({
      ...finding,
      file: paths.caCert,
    }));
  } catch {
    return []; // told when it was read
  }
}

/** Files outside of bundles that hold a leaf and more: each certificate has to be followed by its issuer. */
export function judgeLooseChains({ input }: RuleContext): ScanFinding[] {
  const inBundles = new Set(input.bundles.flatMap(({ paths }) => Object.values(paths)));
  return input.files.flatMap(({ path, certificates }): ScanFinding[] => {
    if (inBundles.has(path)) return [];
    const wrong = certificates.find((one, i) => {
      const next = certificates[i + 1];
      return next !== undefined && !isSignedBy(one, next) && certificates.some((c) => isIssuer(c, one));
    });
    if (wrong === undefined) return [];
    const message = `${describeCertificate(wrong)} is not followed by its issuer, which stands elsewhere in the file`;
    return [
      {
        code: 'chain-out-of-order',
        message,
        hint: 'order it leaf first, each followed by its issuer',
        file: path,
      },
    ];
  });
}
