import { FunctionError } from '../values.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

interface Constraint {
  readonly operator: string;
  readonly version: Version;
  /** First part that is left open, `1.x` has `minor`; undefined for a whole version. */
  readonly open: 'major' | 'minor' | 'patch' | undefined;
}

const word = '[0-9xX*|]+';
const version = `v?(${word})(\\.${word})?(\\.${word})?(-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
const bare = version.replace(/\((?!\?)/g, '(?:');
const operators = '(?:!=|>=|=>|<=|=<|~>|>|<|~|\\^|=|)';
const one = new RegExp(`^\\s*(${operators})\\s*(?:${version})\\s*$`);
const each = new RegExp(`${operators}\\s*${bare}`, 'g');
const all = new RegExp(`^\\s*${operators}\\s*${bare}\\s*(?:(?:\\s+|,\\s*)${operators}\\s*${bare}\\s*)*$`);
const range = new RegExp(`\\s*(${bare})\\s+-\\s+(${bare})\\s*`, 'g');

/**
 * Does a version satisfy `>= 1.2, < 2 || ~3.1`? A prerelease only where the constraint names one too.
 * @throws FunctionError `improper constraint: …`
 */
export function satisfies(constraint: string, candidate: Version): boolean {
  const rewritten = constraint.replace(range, '>= $1, <= $2 ');
  return rewritten
    .split('||')
    .map((part) => {
      if (!all.test(part)) throw new FunctionError(`improper constraint: ${part}`);
      return (part.match(each) ?? [part]).map(parse);
    })
    .some((group) => group.every((c) => check(c, candidate)));
}

function parse(text: string): Constraint {
  const match = one.exec(text);
  if (match === null) throw new FunctionError(`improper constraint: ${text}`);
  const [, operator = '', major = '', minor = '', patch = '', prerelease = ''] = match;
  const open = isOpen(major) ? 'major' : isOpen(minor) ? 'minor' : isOpen(patch) ? 'patch' : undefined;
  const parts = [major, minor.slice(1), patch.slice(1)].slice(0, open === undefined ? 3 : at(open));
  const whole = [...parts, '0', '0', '0'].slice(0, 3).join('.');
  return { operator, version: parseVersion(whole + prerelease), open };
}

const isOpen = (part: string): boolean => /^\.?[xX*]?$/.test(part);
const at = (part: 'major' | 'minor' | 'patch'): number => ['major', 'minor', 'patch'].indexOf(part);

function check(c: Constraint, v: Version): boolean {
  const hidden = v.prerelease !== '' && c.version.prerelease === '';
  if (c.operator === '!=')
    return c.open === undefined ? compareVersions(v, c.version) !== 0 : !hidden && differs(c, v);
  return !hidden && (tests[c.operator] ?? isLike)(c, v);
}

const tests: Readonly<Record<string, (c: Constraint, v: Version) => boolean>> = {
  '>': isAbove,
  '<': (c, v) => compareVersions(v, c.version) < 0,
  '>=': (c, v) => compareVersions(v, c.version) >= 0,
  '=>': (c, v) => compareVersions(v, c.version) >= 0,
  '<=': isAtMost,
  '=<': isAtMost,
  '~': isNear,
  '~>': isNear,
  '^': isCompatible,
};

/** `=` and nothing; with open parts it is `~`. */
function isLike(c: Constraint, v: Version): boolean {
  return c.open === undefined ? compareVersions(v, c.version) === 0 : isNear(c, v);
}

function differs({ version: c, open }: Constraint, v: Version): boolean {
  if (c.major !== v.major) return true;
  if (open === 'major' || c.minor !== v.minor) return open !== 'minor';
  return open === 'patch' && (v.prerelease !== '' || c.prerelease !== '') && v.prerelease !== c.prerelease;
}

function isAbove({ version: c, open }: Constraint, v: Version): boolean {
  if (open === undefined || open === 'major') return compareVersions(v, c) > 0;
  if (v.major !== c.major) return v.major > c.major;
  return open === 'patch' && v.minor > c.minor;
}

function isAtMost({ version: c, open }: Constraint, v: Version): boolean {
  if (open === undefined) return compareVersions(v, c) <= 0;
  if (v.major !== c.major) return v.major < c.major;
  return v.minor <= c.minor || open === 'minor';
}

function isNear({ version: c, open }: Constraint, v: Version): boolean {
  if (compareVersions(v, c) < 0) return false;
  const isZero = c.major === 0n && c.minor === 0n && c.patch === 0n;
  if (isZero && (open === undefined || open === 'major')) return true;
  return v.major === c.major && (v.minor === c.minor || open === 'minor');
}

function isCompatible({ version: c, open }: Constraint, v: Version): boolean {
  if (compareVersions(v, c) < 0) return false;
  if (c.major > 0n || open === 'minor') return v.major === c.major;
  if (v.major > 0n) return false;
  if (c.minor > 0n || open === 'patch') return v.minor === c.minor;
  return v.minor === 0n && v.patch === c.patch;
}
