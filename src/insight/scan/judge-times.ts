import { basename, dirname } from 'node:path';
import { type Certificate, isSelfSigned } from '../../x509/certificate.ts';
import { describeCertificate } from '../../x509/describe.ts';
import { isoDay, judgeNesting } from '../../x509/validity-rule.ts';
import { agoOrIn } from './day-count.ts';
import type { Found } from './found-certificates.ts';
import type { ScanFinding } from './input.ts';
import { isIssuer } from './is-issuer.ts';
import type { RuleContext } from './rule.ts';
import { shellWord } from './shell-word.ts';

/** Judged per certificate, as it usually stands in several files. */
export function judgeTimes({ found, now }: RuleContext): ScanFinding[] {
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
  if (isSelfSigned(certificate)) return 'replace the root, see docs/replace-a-root.md';
  if (cluster === undefined || !/^[\w.-]+$/.test(cluster)) return 'have its issuer sign a new one';
  const rotate = `meshroot rotate intermediate ${cluster.replace(/^istiod-/, '')}`;
  // only a folder that `pki intermediate` could have written is one that it can renew
  if (basename(dirname(file)) !== cluster) return rotate;
  const parent = dirname(dirname(file));
  const byFiles = `meshroot pki intermediate ${cluster} --renew${parent === '.' ? '' : ` --dir ${shellWord(parent)}`}`;
  return `${rotate}       or, files only: ${byFiles}`;
}

export function judgeLifetimes({ found }: RuleContext): ScanFinding[] {
  const bySubject = new Map<string, Found[]>();
  for (const one of found) {
    const subject = one.certificate.subjectDer.toString('latin1');
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), one]);
  }
  return found.flatMap(({ certificate, file, alsoIn }) => {
    const named = bySubject.get(certificate.issuerDer.toString('latin1')) ?? [];
    const issuers = named.map((other) => other.certificate).filter((other) => isIssuer(other, certificate));
    // with several issuers of one key (a renewal that kept it), the one that lasts longest carries the certificate
    const [issuer] = issuers.sort((a, b) => b.notAfter - a.notAfter);
    if (issuer === undefined) return [];
    const link = [certificate, issuer].map((c) => ({ name: describeCertificate(c), notAfter: c.notAfter }));
    return judgeNesting(link).map((finding) => ({ ...finding, file, alsoIn, certificate }));
  });
}
