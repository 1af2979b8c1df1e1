import { basename, dirname } from 'node:path';
import type { BundlePart } from '../../istio/bundle.ts';
import { lintBundleCertificates } from '../../istio/bundle-lint.ts';
import { type Certificate, isSelfSigned, isSignedBy, parseCertificates } from '../../x509/certificate.ts';
import { judgeChain } from '../../x509/chain.ts';
import { describeCertificate } from '../../x509/describe.ts';
import { keyMatches } from '../../x509/keys.ts';
import { isoDay, judgeNesting } from '../../x509/validity-rule.ts';
import { agoOrIn } from './day-count.ts';
import type { Found } from './found-certificates.ts';
import type { ScanFinding, ScanInput, ScannedBundle } from './input.ts';
import { certificateNamesFor } from './layouts.ts';
import { judgeRootsAcross } from './root-mismatch.ts';

export interface RuleContext {
  readonly input: ScanInput;
  /** Every different certificate once, with all places where it stands. */
  readonly found: readonly Found[];
  readonly now: number;
}

export interface Rule {
  /** Codes that it can report; stable, tools rely on them. */
  readonly codes: readonly string[];
  readonly judge: (context: RuleContext) => ScanFinding[];
}

/** The rules in the order of their findings. */
export const rules: readonly Rule[] = [
  { codes: ['expired', 'not-yet-valid'], judge: judgeTimes },
  { codes: ['key-does-not-match'], judge: judgeKeys },
  { codes: ['key-readable-by-all'], judge: judgeKeyModes },
  { codes: ['leaf-outlives-issuer'], judge: judgeLifetimes },
  {
    codes: ['chain-incomplete', 'chain-out-of-order', 'chain-lacks-ca', 'bad-signature'],
    judge: judgeBundles,
  },
  { codes: ['chain-out-of-order'], judge: judgeLooseChains },
  { codes: ['root-mismatch'], judge: judgeRootsAcross },
];

/** Judged per certificate, as it usually stands in several files. */
function judgeTimes({ found, now }: RuleContext): ScanFinding[] {
  return found.flatMap(({ certificate, file, alsoIn }): ScanFinding[] => {
    const name = describeCertificate(certificate);
    if (now > certificate.notAfter) {
      const signed = certificate.isCa ? '; every certificate it signed is refused' : '';
      const message = `${name} ended ${isoDay(certificate.notAfter)} (${agoOrIn(certificate.notAfter, now)})${signed}`;
      return [{ code: 'expired', message, hint: renewalHint(certificate, file), file, alsoIn, certificate }];
    }
    if (now >= certificate.notBefore) return [];
    const day = isoDay(certificate.notBefore);
    const message = `${name} is not valid before ${day} (${agoOrIn(certificate.notBefore, now)})`;
    const hint = 'compare the clock of its issuer with this one';
    return [{ code: 'not-yet-valid', message, hint, file, alsoIn, certificate }];
  });
}

/** The command that mends it, where there is one. */
function renewalHint(certificate: Certificate, file: string): string {
  const cluster = certificate.subject.find(({ type }) => type === 'L')?.value;
  if (!certificate.isCa) return 'issue it again; for a mesh workload: restart the pod';
  if (isSelfSigned(certificate)) return 'meshroot rotate root';
  if (cluster === undefined || !/^[\w.-]+$/.test(cluster)) return 'have its issuer sign a new one';
  const rotate = `meshroot rotate intermediate ${cluster.replace(/^istiod-/, '')}`;
  // only a folder that `pki intermediate` could have written is one that it can renew
  if (basename(dirname(file)) !== cluster) return rotate;
  const parent = dirname(dirname(file));
  const byFiles = `meshroot pki intermediate ${cluster} --renew${parent === '.' ? '' : ` --dir ${shellWord(parent)}`}`;
  return `${rotate}       or, files only: ${byFiles}`;
}

/** A path as a shell takes it. */
const shellWord = (path: string): string =>
  /^[\w./@:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;

function judgeKeys({ input }: RuleContext): ScanFinding[] {
  const byPath = new Map(input.files.map((file) => [file.path, file]));
  return input.files.flatMap(({ path, key, certificates }): ScanFinding[] => {
    if (key === undefined) return [];
    const partner =
      certificates.length > 0
        ? path
        : certificateNamesFor(path).find((p) => byPath.get(p)?.certificates.length);
    const certificate = partner === undefined ? undefined : byPath.get(partner)?.certificates[0];
    if (certificate === undefined || keyMatches(certificate, key.privateKey)) return [];
    const message = `is not the key of ${describeCertificate(certificate)} in ${partner}`;
    return [
      { code: 'key-does-not-match', message, hint: 'take key and certificate of the same issue', file: path },
    ];
  });
}

/** Group-readable is what pods need (0640); the world never is. */
function judgeKeyModes({ input }: RuleContext): ScanFinding[] {
  return input.files
    .filter(({ key, mode }) => key !== undefined && (mode & 0o007) !== 0)
    .map(({ path, mode }) => ({
      code: 'key-readable-by-all',
      message: `a private key with mode ${mode.toString(8).padStart(4, '0')}`,
      hint: `chmod 600 ${shellWord(path)}`,
      severity: 'warning',
      file: path,
    }));
}

function judgeLifetimes({ found }: RuleContext): ScanFinding[] {
  return found.flatMap(({ certificate, file, alsoIn }) => {
    const issuers = found.map((other) => other.certificate).filter((other) => isIssuer(other, certificate));
    // with several issuers of one key (a renewal that kept it), the one that lasts longest carries the certificate
    const [issuer] = issuers.sort((a, b) => b.notAfter - a.notAfter);
    if (issuer === undefined) return [];
    const link = [certificate, issuer].map((c) => ({ name: describeCertificate(c), notAfter: c.notAfter }));
    return judgeNesting(link).map((finding) => ({ ...finding, file, alsoIn, certificate }));
  });
}

const isIssuer = (issuer: Certificate, child: Certificate): boolean =>
  issuer !== child && issuer.subjectDer.equals(child.issuerDer) && isSignedBy(child, issuer);

/** What the linter of bundles says, except for times, which are judged once per certificate above. */
function judgeBundles({ input, now }: RuleContext): ScanFinding[] {
  const timeless = ({ code }: { code: string }): boolean => code !== 'expired' && code !== 'not-yet-valid';
  return input.bundles.flatMap((bundle) => {
    const findings = bundle.layout === 'istio' ? lintIstio(bundle, now) : lintTls(bundle, now);
    return findings.filter(timeless).filter(({ code }) => code !== 'bad-certificate'); // told when it was read
  });
}

function lintIstio(bundle: ScannedBundle, now: number): ScanFinding[] {
  return lintBundleCertificates(bundle.texts, now).map(({ part, ...finding }) => ({
    ...finding,
    file: fileOf(bundle, part),
  }));
}

const fileOf = ({ paths }: ScannedBundle, part: BundlePart): string =>
  part === 'caKey' ? paths.caCert : paths[part];

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
function judgeLooseChains({ input }: RuleContext): ScanFinding[] {
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
