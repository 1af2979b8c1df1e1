/** Digits and decimal exponent: value = 0.d1d2d3… × 10^point. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/**
 * Go's strconv.FormatFloat for 64 bits.
 * @param precision -1 for the fewest digits that read back as the same number
 * @param exponentFrom for `g` with precision -1: the exponent from which it is written as `1e+06`
 */
export function formatFloat(
  value: number,
  verb: 'e' | 'E' | 'f' | 'g' | 'G',
  precision: number,
  exponentFrom = 6,
): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  const upper = verb === 'E' || verb === 'G';
  const text =
    verb === 'f' ? fixed(size, precision) : scientificOrGeneral(size, verb, precision, exponentFrom);
  return sign + (upper ? text.toUpperCase() : text);
}

function fixed(size: number, precision: number): string {
  if (precision >= 0 && precision <= 60 && size < 1e21) return roundedFixed(size, precision);
  const { digits, point } = decimalOf(size, -1);
  const whole = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0');
  const part =
    point >= digits.length ? '' : `${'0'.repeat(Math.max(0, -point))}${digits.slice(Math.max(0, point))}`;
  const shown = precision < 0 ? part : part.padEnd(precision, '0').slice(0, precision);
  return shown === '' ? whole : `${whole}.${shown}`;
}

/** toFixed with ties to the even digit, as Go rounds; JavaScript rounds them up. */
function roundedFixed(size: number, precision: number): string {
  const exact = size.toFixed(precision + 40);
  const kept = exact.slice(0, exact.length - 40);
  if (!/^50*$/.test(exact.slice(-40)) || /[13579]\.?$/.test(kept)) return size.toFixed(precision);
  return kept.replace(/\.$/, '');
}

function scientificOrGeneral(size: number, verb: string, precision: number, exponentFrom: number): string {
  if (verb === 'e' || verb === 'E') return scientific(decimalOf(size, precision), precision);
  const wanted = precision === 0 ? 1 : precision;
  const decimal = decimalOf(size, wanted < 0 ? -1 : wanted - 1);
  const trimmed = { ...decimal, digits: decimal.digits.replace(/0+$/, '') || '0' };
  const exponent = size === 0 ? 0 : trimmed.point - 1;
  const { length } = trimmed.digits;
  const limit = wanted < 0 ? exponentFrom : wanted > length && length >= trimmed.point ? length : wanted;
  if (exponent < -4 || exponent >= limit) return scientific(trimmed, -1);
  return fixedDigits(trimmed);
}

function fixedDigits({ digits, point }: Decimal): string {
  if (point <= 0) return digits === '0' ? '0' : `0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

function scientific({ digits, point }: Decimal, precision: number): string {
  const tail = precision < 0 ? digits.slice(1) : digits.slice(1).padEnd(precision, '0');
  const exponent = /^0*$/.test(digits) ? 0 : point - 1;
  const sign = exponent < 0 ? '-' : '+';
  return `${digits[0]}${tail === '' ? '' : `.${tail}`}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function decimalOf(size: number, precision: number): Decimal {
  const text = precision < 0 ? size.toExponential() : size.toExponential(Math.min(precision, 100));
  const [mantissa = '0', exponent = '0'] = text.split('e');
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}
