/** `coefficient * 10^exponent`, exact. */
export interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Digits after the point of a quotient; what follows is rounded away from zero at the half. */
const divisionDigits = 16;

/** The shortest decimal that stands for `n`. */
export function decimalOf(n: number): Decimal {
  if (!Number.isFinite(n)) return { coefficient: 0n, exponent: 0 };
  const [mantissa = '0', exponent = '0'] = n.toExponential().split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { coefficient: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

export function floatOf({ coefficient, exponent }: Decimal): number {
  return Number(`${coefficient}e${exponent}`);
}

export function plus(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  return { coefficient: scaled(a, exponent) + scaled(b, exponent), exponent };
}

export function times(a: Decimal, b: Decimal): Decimal {
  return { coefficient: a.coefficient * b.coefficient, exponent: a.exponent + b.exponent };
}

/** @throws RangeError for a division by zero */
export function quotient(a: Decimal, b: Decimal): Decimal {
  if (b.coefficient === 0n) throw new RangeError('decimal division by 0');
  const exponent = Math.min(a.exponent, b.exponent);
  const dividend = scaled(a, exponent) * 10n ** BigInt(divisionDigits);
  const divisor = scaled(b, exponent);
  const [size, by] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor];
  const rounded = (2n * size + by) / (2n * by);
  return { coefficient: dividend < 0n === divisor < 0n ? rounded : -rounded, exponent: -divisionDigits };
}

function scaled({ coefficient, exponent }: Decimal, to: number): bigint {
  return coefficient * 10n ** BigInt(exponent - to);
}
