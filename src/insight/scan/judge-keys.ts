import { describeCertificate } from '../../x509/describe.ts';
import { keyMatches } from '../../x509/keys.ts';
import type { ScanFinding } from './input.ts';
import { certificateNamesFor } from './layouts.ts';
import type { RuleContext } from './rule.ts';
import { shellWord } from './shell-word.ts';

export function judgeKeys({ input }: RuleContext): ScanFinding[] {
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
export function judgeKeyModes({ input }: RuleContext): ScanFinding[] {
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
