import { formatValue } from './print.ts';
import { kindOf, typeName } from './types.ts';
import { Complex, FunctionError, type GoValue, integerOf, JsonNumber, unbox } from './values.ts';

const badType = 'invalid type for comparison';
type Basic = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string';

function basicKind(v: GoValue): Basic | undefined {
  const kind = kindOf(v);
  return kind === 'bool' ||
    kind === 'int' ||
    kind === 'uint' ||
    kind === 'float' ||
    kind === 'complex' ||
    kind === 'string'
    ? kind
    : undefined;
}

const isInteger = (kind: Basic | undefined): boolean => kind === 'int' || kind === 'uint';

/** Something that `===` and `<` order as Go orders values of one basic kind. */
function comparable(v: GoValue): string | boolean | bigint | number {
  if (v instanceof JsonNumber) return v.text;
  if (v instanceof Complex) return `${v.re},${v.im}`;
  return integerOf(v) ?? (typeof v === 'string' || typeof v === 'boolean' || typeof v === 'number' ? v : '');
}

function incompatible(a: GoValue, b: GoValue): FunctionError {
  return new FunctionError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

/** `eq a b c`: a == b || a == c. */
export function equalsAny(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new FunctionError('missing argument for comparison');
  return others.some((other) => equals(unbox(first), unbox(other)));
}

function equals(a: GoValue, b: GoValue): boolean {
  const [ka, kb] = [basicKind(a), basicKind(b)];
  if (ka !== kb) {
    if (isInteger(ka) && isInteger(kb)) return comparable(a) === comparable(b);
    if (a !== undefined && b !== undefined) throw incompatible(a, b);
    return false;
  }
  return ka === undefined ? equalsOther(a, b) : comparable(a) === comparable(b);
}

function equalsOther(a: GoValue, b: GoValue): boolean {
  const [ka, kb] = [kindOf(a), kindOf(b)];
  if (ka !== kb && ka !== 'invalid' && kb !== 'invalid')
    throw new FunctionError(
      `non-comparable types ${formatValue(a)}: ${typeName(a)}, ${typeName(b)}: ${formatValue(b)}`,
    );
  if (a === undefined || b === undefined) return a === b;
  if (kb === 'map' || kb === 'slice' || kb === 'func')
    throw new FunctionError(`non-comparable type ${formatValue(b)}: ${typeName(b)}`);
  return a === b;
}

/** `lt a b`. */
export function isLess(first: GoValue, second: GoValue): boolean {
  const [a, b] = [unbox(first), unbox(second)];
  const [ka, kb] = [basicKind(a), basicKind(b)];
  if (ka === undefined || kb === undefined) throw new FunctionError(badType);
  if (ka !== kb && !(isInteger(ka) && isInteger(kb))) throw incompatible(a, b);
  if (ka === 'bool' || ka === 'complex') throw new FunctionError(badType);
  return comparable(a) < comparable(b);
}

/** `le a b`. */
export function isLessOrEqual(a: GoValue, b: GoValue): boolean {
  return isLess(a, b) || equalsAny(a, [b]);
}
