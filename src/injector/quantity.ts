import { refusal } from './refusal.ts';

/** Powers of ten of the decimal suffixes and of two of the binary ones (k8s.io/apimachinery resource.Quantity). */
const decimalPowers: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryPowers: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalSuffix = new Map(Object.entries(decimalPowers).map(([suffix, power]) => [power, suffix]));

const syntax = /^([-+]?)(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]?|[eE][-+]?\d+)$/;
/** No quantity is finer than a nano-unit: finer ones are rounded up. */
const nanos = 10n ** 9n;
const largest = (2n ** 63n - 1n) * nanos;

/**
 * The canonical text of a Kubernetes quantity: `1024Mi` is `1Gi`, `1000m` is `1`, `0.5` is `500m`; the family of the
 * suffix stays (`1e3` and `1000Ki` do not change).
 */
export function canonicalQuantity(text: string): string {
  let canonical = known.get(text);
  if (canonical === undefined) {
    canonical = canonicalOf(text);
    if (known.size < mostKnown) known.set(text, canonical);
  }
  return canonical;
}

/** The pods of a cluster ask for few different ones, over and over. */
const known = new Map<string, string>();
const mostKnown = 500;

function canonicalOf(text: string): string {
  const match = syntax.exec(text);
  if (match === null)
    throw refusal(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  const [, sign, digits = '', suffix = ''] = match;
  const amount =
    suffix in binaryPowers || digits.length > 18 ? cap(inNanos(digits, suffix)) : inNanos(digits, suffix);
  if (amount === 0n) return '0';
  const minus = sign === '-' ? '-' : '';
  if (suffix in binaryPowers && amount >= 1024n * nanos && amount % nanos === 0n)
    return minus + binary(amount / nanos);
  return minus + inDecimal(amount, /^[eE][-+]?\d/.test(suffix));
}

function cap(amount: bigint): bigint {
  return amount > largest ? largest : amount;
}

function inNanos(digits: string, suffix: string): bigint {
  const [integer = '', fraction = ''] = digits.split('.');
  const unscaled = BigInt(integer + fraction || '0');
  const binaryPower = binaryPowers[suffix];
  if (binaryPower !== undefined)
    return ceilDiv(unscaled * 2n ** BigInt(binaryPower) * nanos, 10n ** BigInt(fraction.length));
  // an exponent beyond these bounds is 0 or the largest quantity, whatever stands before it
  const power = Math.max(-1000, Math.min(1000, decimalPowers[suffix] ?? Number(suffix.slice(1))));
  const scale = power + 9 - fraction.length;
  return scale >= 0 ? unscaled * 10n ** BigInt(scale) : ceilDiv(unscaled, 10n ** BigInt(-scale));
}

function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

function binary(units: bigint): string {
  let power = 0;
  let rest = units;
  for (; power < 60 && rest % 1024n === 0n; power += 10) rest /= 1024n;
  const suffix = Object.entries(binaryPowers).find(([, p]) => p === power)?.[0] ?? '';
  return `${rest}${suffix}`;
}

function inDecimal(amount: bigint, exponentForm: boolean): string {
  let power = -9;
  let rest = amount;
  for (; power < 18 && rest % 1000n === 0n; power += 3) rest /= 1000n;
  if (exponentForm) return power === 0 ? `${rest}` : `${rest}e${power}`;
  return `${rest}${decimalSuffix.get(power) ?? ''}`;
}
