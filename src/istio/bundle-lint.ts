import { MeshrootError, messageOf } from '../lib/errors.ts';
import type { Secret } from '../lib/secret.ts';
import { type Certificate, parseCertificates } from '../x509/certificate.ts';
import { judgeChain } from '../x509/chain.ts';
import { describeCertificate } from '../x509/describe.ts';
import type { Finding } from '../x509/finding.ts';
import { keyMatches, parsePrivateKey } from '../x509/keys.ts';
import { type BundleCertificates, bundleFiles, type IstioBundle } from './bundle.ts';
import { judgeChainFile, judgeKeySize, judgeRoots, judgeTrustDomain } from './bundle-rules.ts';

export interface BundleLintOptions {
  /** Checked against name constraints when it is given. */
  readonly trustDomain?: string;
}

/** A finding about one part of the bundle. */
export interface BundleFinding extends Finding {
  readonly part: keyof IstioBundle;
}

/**
 * Whether istiod should be given this bundle: what it checks itself, and what it does not check but breaks on later
 * @returns [] = fit for use; advice about style is left to {@link lintBundle}
 */
export function judgeBundle(
  bundle: IstioBundle,
  now: number,
  options: BundleLintOptions = {},
): BundleFinding[] {
  return lintBundle(bundle, now, options).filter(({ severity }) => severity !== 'warning');
}

/** All that can be said about a bundle, warnings too. */
export function lintBundle(
  bundle: IstioBundle,
  now: number,
  options: BundleLintOptions = {},
): BundleFinding[] {
  const [caCert] = readPart(bundle, 'caCert').certificates;
  return [...lintCaKey(bundle.caKey, caCert), ...lintBundleCertificates(bundle, now, options)];
}

/** The three public files alone, for a reader that must not or cannot see the key. */
export function lintBundleCertificates(
  bundle: BundleCertificates,
  now: number,
  options: BundleLintOptions = {},
): BundleFinding[] {
  const parts = {
    caCert: readPart(bundle, 'caCert'),
    chain: readPart(bundle, 'certChain'),
    root: readPart(bundle, 'rootCert'),
  };
  const unreadable = Object.values(parts).flatMap(({ findings }) => findings);
  const [ca] = parts.caCert.certificates;
  if (unreadable.length > 0 || ca === undefined) return unreadable;
  const chain = parts.chain.certificates;
  const roots = parts.root.certificates;
  return onceEach([
    ...inPart(
      'caCert',
      judgeChain({ leaf: ca, intermediates: chain, roots, now, purpose: 'ca' }).filter(notOrder),
    ),
    ...inPart('caCert', judgeKeySize(ca)),
    ...inPart('caCert', judgeTrustDomain([ca, ...chain, ...roots], options.trustDomain)),
    ...inPart('certChain', judgeChainFile(ca, chain, roots, now)),
    ...inPart('rootCert', judgeRoots(roots, now, chain)),
    ...lintTexts(bundle),
  ]);
}

/** A certificate stands in several files; what is wrong with it is said once. */
function onceEach(findings: readonly BundleFinding[]): BundleFinding[] {
  const key = ({ code, certificate }: BundleFinding) => `${code} ${certificate?.fingerprint}`;
  return findings.filter(
    (one, i) => one.certificate === undefined || findings.findIndex((other) => key(other) === key(one)) === i,
  );
}

/** The order is judged where the order stands: in the chain file. */
const notOrder = ({ code }: Finding): boolean => code !== 'chain-out-of-order';

const inPart = (part: BundleFinding['part'], findings: readonly Finding[]): BundleFinding[] =>
  findings.map((finding) => ({ ...finding, part }));

type PublicPart = keyof BundleCertificates;

function readPart(
  bundle: BundleCertificates,
  part: PublicPart,
): { certificates: Certificate[]; findings: BundleFinding[] } {
  const file = bundleFiles[part];
  try {
    const certificates = parseCertificates(bundle[part]);
    if (certificates.length > 0 || part === 'certChain') return { certificates, findings: [] };
    const message = `${file} holds no certificate`;
    return {
      certificates,
      findings: [{ code: 'bad-certificate', message, hint: 'write the PEM certificate into it', part }],
    };
  } catch (error) {
    const hint = error instanceof MeshrootError ? error.hint : undefined;
    const finding = { code: 'bad-certificate', message: `${file}: ${messageOf(error)}`, part };
    return { certificates: [], findings: [hint === undefined ? finding : { ...finding, hint }] };
  }
}

/** istiod reads the first block only, and only of three kinds. `ca` is undefined when it could not be read. */
export function lintCaKey(caKey: Secret<string>, ca: Certificate | undefined): BundleFinding[] {
  const part = 'caKey';
  const pem = caKey.reveal();
  try {
    const { privateKey } = parsePrivateKey(pem);
    const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1] ?? '';
    if (!/^(RSA |EC )?PRIVATE KEY$/.test(label)) {
      const message = `${bundleFiles.caKey} begins with a ${label} block, which istiod does not skip`;
      return [
        {
          code: 'key-not-first',
          message,
          hint: 'rewrite it: openssl pkey -in ca-key.pem -out ca-key.pem',
          part,
        },
      ];
    }
    if (ca === undefined || keyMatches(ca, privateKey)) return [];
    const message = `${bundleFiles.caKey} is not the key of ${describeCertificate(ca)} in ${bundleFiles.caCert}`;
    return [
      { code: 'key-does-not-match', message, hint: 'take key and certificate of the same issue', part },
    ];
  } catch (error) {
    const hint = error instanceof MeshrootError ? error.hint : undefined;
    const finding = {
      code: 'bad-private-key',
      message: `${bundleFiles.caKey}: ${messageOf(error)}`,
      part,
    } as const;
    return [hint === undefined ? finding : { ...finding, hint }];
  }
}

/** Texts that load today but trip a comparison or a concatenation tomorrow. */
function lintTexts(bundle: BundleCertificates): BundleFinding[] {
  return (['caCert', 'certChain', 'rootCert'] as const).flatMap((part): BundleFinding[] => {
    const text = bundle[part];
    const clean =
      text === '' || (!text.includes('\r') && /[^\s]\n$/.test(text) && !/^[ \t]+-----/m.test(text));
    if (clean) return [];
    const message = `${bundleFiles[part]} has CRLF line ends, indentation, or not exactly one newline at its end`;
    const hint = 'istiod compares root-cert.pem byte for byte and joins the others: write it as openssl does';
    return [{ code: 'unclean-pem', message, hint, severity: 'warning', part }];
  });
}
