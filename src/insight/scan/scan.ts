import { MeshrootError } from '../../lib/errors.ts';
import { foundCertificates } from './found-certificates.ts';
import type { ScanFinding, ScanInput } from './input.ts';
import { rules } from './rules.ts';

export interface ScanReport {
  readonly findings: readonly ScanFinding[];
  readonly errors: number;
  readonly warnings: number;
  readonly files: number;
  readonly certificates: number;
  /** When the first of all certificates ends or ended, in ms; undefined when there are none. */
  readonly firstOutage: number | undefined;
}

/**
 * Judges what was gathered; pure. Errors come before warnings.
 * @throws MeshrootError `nothing-to-scan` when there was no certificate, no key and no problem
 */
export function scan(input: ScanInput, now: number): ScanReport {
  const found = foundCertificates(input.files);
  const judged = input.files.filter(({ key, isMesh }) => key !== undefined || isMesh === true).length;
  if (found.length + judged + input.problems.length === 0) {
    throw new MeshrootError('nothing-to-scan', 'no certificate and no key was found there', {
      hint: 'name the files themselves, or a folder with .pem, .crt or .key files',
    });
  }
  const findings = [...input.problems, ...rules.flatMap(({ judge }) => judge({ input, found, now }))];
  const isWarning = ({ severity }: ScanFinding): boolean => severity === 'warning';
  const sorted = [...findings.filter((f) => !isWarning(f)), ...findings.filter(isWarning)];
  const ends = found.map(({ certificate }) => certificate.notAfter);
  return {
    findings: sorted,
    errors: findings.filter((f) => !isWarning(f)).length,
    warnings: findings.filter(isWarning).length,
    files: input.files.length,
    certificates: found.length,
    firstOutage: ends.length === 0 ? undefined : ends.reduce((a, b) => Math.min(a, b)),
  };
}
