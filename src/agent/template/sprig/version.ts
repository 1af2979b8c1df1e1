import { FunctionError } from '../values.ts';

/** A semantic version (semver.org 2.0) as lenient as sprig takes it: `v` before it, minor and patch may be left out. */
export interface Version {
  readonly original: string;
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
}

const suffix = '(?:-([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?';
const pattern = new RegExp(`^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?${suffix}$`);

/** @throws FunctionError `Invalid Semantic Version` */
export function parseVersion(text: string): Version {
  const match = pattern.exec(text);
  if (match === null) throw new FunctionError('Invalid Semantic Version');
  const [, major = '0', minor = '0', patch = '0', prerelease = '', metadata = ''] = match;
  if (prerelease.split('.').some((part) => /^0\d+$/.test(part)))
    throw new FunctionError('Version segment starts with 0');
  return {
    original: text,
    major: BigInt(major),
    minor: BigInt(minor),
    patch: BigInt(patch),
    prerelease,
    metadata,
  };
}

export function versionText({ major, minor, patch, prerelease, metadata }: Version): string {
  const before = prerelease === '' ? '' : `-${prerelease}`;
  return `${major}.${minor}.${patch}${before}${metadata === '' ? '' : `+${metadata}`}`;
}

/** Negative, zero or positive, by precedence; metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (const part of ['major', 'minor', 'patch'] as const)
    if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  return comparePrereleases(a.prerelease, b.prerelease);
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '' || b === '') return a === '' ? 1 : -1;
  const [left, right] = [a.split('.'), b.split('.')];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareParts(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  if (a === b) return 0;
  const [isNumber, other] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && other) return BigInt(a) < BigInt(b) ? -1 : 1;
  if (isNumber !== other) return isNumber ? -1 : 1;
  return a < b ? -1 : 1;
}
