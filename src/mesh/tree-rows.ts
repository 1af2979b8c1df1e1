import { humanDuration } from '../lib/duration.ts';
import type { Certificate } from '../x509/certificate.ts';
import { keyTypeOf } from '../x509/keys.ts';

/** A certificate as a line of a trust tree: name, kind of key, what is left of it, a note. */
export function certificateRow(
  name: string,
  certificate: Certificate,
  now: number,
  note: string,
  width = 22,
): string {
  const left = humanDuration(certificate.notAfter - now);
  return `${name.padEnd(width)} ${(keyTypeOf(certificate.publicKey) ?? '').padEnd(9)} ${left.padStart(6)}  ${note}`.trimEnd();
}

/** The lines of one branch, hung below their parent. */
export function branchLines([first = '', ...rest]: readonly string[], last: boolean): string[] {
  return [`${last ? '└─' : '├─'} ${first}`, ...rest.map((line) => `${last ? '   ' : '│  '}${line}`)];
}
