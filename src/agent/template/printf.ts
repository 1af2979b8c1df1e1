import { formatFloat } from './float-format.ts';
import { formatValue } from './print.ts';
import { escapedRune, quote } from './quote.ts';
import { isPrint, runeAt, runeBytes, runeCount } from './runes.ts';
import { typeName } from './types.ts';
import {
  Complex,
  GoMap,
  GoSlice,
  type GoValue,
  integerOf,
  JsonNumber,
  Sized,
  sortedKeys,
  unbox,
} from './values.ts';

interface Spec {
  readonly verb: string;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

/** Go's fmt.Sprintf over binary strings: verbs, flags, width, precision, `*`, `[n]` and its `%!…` complaints. */
export function sprintf(format: string, args: readonly GoValue[]): string {
  return new Formatter(format, args).run();
}

class Formatter {
  readonly #format: string;
  readonly #args: readonly GoValue[];
  #at = 0;
  #arg = 0;
  #reordered = false;
  #badIndex = false;

  constructor(format: string, args: readonly GoValue[]) {
    this.#format = format;
    this.#args = args;
  }

  run(): string {
    let out = '';
    while (this.#at < this.#format.length) {
      const next = this.#format.indexOf('%', this.#at);
      if (next === -1) return this.#extra(out + this.#format.slice(this.#at));
      out += this.#format.slice(this.#at, next);
      this.#at = next + 1;
      this.#reordered = false;
      out += this.#directive();
    }
    return this.#extra(out);
  }

  #extra(out: string): string {
    if (this.#reordered || this.#arg >= this.#args.length) return out;
    const rest = this.#args
      .slice(this.#arg)
      .map((v) => (v === undefined ? '<nil>' : `${typeName(v)}=${formatValue(v)}`));
    return `${out}%!(EXTRA ${rest.join(', ')})`;
  }

  #directive(): string {
    this.#badIndex = false;
    const flags = this.#take(/[-+# 0]*/y);
    this.#index();
    const width = this.#number();
    let minus = flags.includes('-');
    if (typeof width === 'number' && width < 0) minus = true;
    let precision: number | undefined;
    let bad = width === 'bad' ? '%!(BADWIDTH)' : '';
    if (this.#format[this.#at] === '.') {
      this.#at++;
      this.#index();
      const p = this.#number();
      if (p === 'bad') bad += '%!(BADPREC)';
      precision = p === 'bad' || (typeof p === 'number' && p < 0) ? undefined : (p ?? 0);
    }
    this.#index();
    if (this.#at >= this.#format.length) return `${bad}%!(NOVERB)`;
    const { width: bytes } = runeAt(this.#format, this.#at);
    const verb = this.#format.slice(this.#at, this.#at + bytes);
    this.#at += bytes;
    return (
      bad +
      this.#formatted({
        verb,
        minus,
        plus: flags.includes('+'),
        sharp: flags.includes('#'),
        space: flags.includes(' '),
        zero: flags.includes('0') && !minus,
        width: width === undefined || width === 'bad' ? undefined : Math.abs(width),
        precision,
      })
    );
  }

  #formatted(spec: Spec): string {
    if (spec.verb === '%') return '%';
    if (this.#badIndex) return `%!${spec.verb}(BADINDEX)`;
    if (this.#arg >= this.#args.length) return `%!${spec.verb}(MISSING)`;
    return formatted(spec, this.#args[this.#arg++]);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#format)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  #index(): void {
    if (this.#format[this.#at] !== '[') return;
    const text = this.#take(/\[[^\]]*\]?/y);
    const n = /^\[(\d+)\]$/.exec(text)?.[1];
    this.#reordered = true;
    if (n === undefined || Number(n) < 1 || Number(n) > this.#args.length) this.#badIndex = true;
    else this.#arg = Number(n) - 1;
  }

  #number(): number | undefined | 'bad' {
    if (this.#format[this.#at] !== '*') {
      const digits = this.#take(/\d*/y);
      return digits === '' ? undefined : Math.min(Number(digits), 1_000_000);
    }
    this.#at++;
    const n = integerOf(this.#args[this.#arg]);
    if (this.#arg < this.#args.length) this.#arg++;
    return n === undefined || n > 1_000_000n || n < -1_000_000n ? 'bad' : Number(n);
  }
}

function formatted(spec: Spec, arg: GoValue): string {
  if (spec.verb === 'T') return pad(spec, arg === undefined ? '<nil>' : typeName(arg));
  if (arg === undefined) return spec.verb === 'v' ? pad(spec, '<nil>') : `%!${spec.verb}(<nil>)`;
  return verbText(spec, arg);
}

function verbText(spec: Spec, arg: GoValue): string {
  const v = unbox(arg);
  const int = integerOf(v);
  if (int !== undefined) return integerText(spec, int, v);
  if (typeof v === 'number') return floatText(spec, v, v);
  if (typeof v === 'boolean') return 'tv'.includes(spec.verb) ? pad(spec, String(v)) : complaint(spec, v);
  if (typeof v === 'string') return stringText(spec, v, v);
  if (v instanceof JsonNumber) return stringText(spec, v.text, v);
  if (v instanceof GoSlice || v instanceof GoMap) return containerText(spec, v);
  if (v === undefined && spec.verb !== 'v') return `%!${spec.verb}(<nil>)`;
  if (spec.verb === 'v' || (spec.verb === 's' && !(v instanceof Complex)))
    return pad(spec, formatValue(v, spec.plus));
  return complaint(spec, v);
}

function complaint(spec: Spec, v: GoValue): string {
  return `%!${spec.verb}(${typeName(v)}=${formatValue(v)})`;
}

function containerText(spec: Spec, v: GoSlice | GoMap): string {
  if (spec.sharp && spec.verb === 'v') return goSyntax(v);
  if (v instanceof GoSlice) return `[${v.items.map((i) => formatted(spec, i)).join(' ')}]`;
  const pairs = sortedKeys(v.entries).map(
    (k) => `${formatted(spec, k)}:${formatted(spec, v.entries.get(k))}`,
  );
  return `map[${pairs.join(' ')}]`;
}

function goSyntax(v: GoValue): string {
  const inner = unbox(v);
  if (typeof inner === 'string') return quote(inner);
  if (inner instanceof JsonNumber) return quote(inner.text);
  if (inner instanceof GoSlice) return `${inner.type}{${inner.items.map(elementSyntax).join(', ')}}`;
  if (inner instanceof GoMap) {
    const pairs = sortedKeys(inner.entries).map((k) => `${quote(k)}:${elementSyntax(inner.entries.get(k))}`);
    return `${inner.type}{${pairs.join(', ')}}`;
  }
  return formatValue(inner);
}

function elementSyntax(v: GoValue): string {
  return unbox(v) === undefined ? 'interface {}(nil)' : goSyntax(v);
}

function stringText(spec: Spec, text: string, v: GoValue): string {
  const cut = spec.precision === undefined ? text : firstRunes(text, spec.precision);
  switch (spec.verb) {
    case 'v':
      if (spec.sharp) return pad(spec, quote(text));
      return pad(spec, cut);
    case 's':
      return pad(spec, cut);
    case 'q':
      return pad(
        spec,
        spec.sharp && !cut.includes('`') && isOneLine(cut) ? `\`${cut}\`` : quote(cut, undefined, spec.plus),
      );
    case 'x':
    case 'X': {
      const bytes = spec.precision === undefined ? text : text.slice(0, spec.precision);
      const hex = Buffer.from(bytes, 'latin1').toString('hex');
      const spaced = spec.space ? (hex.match(/../g) ?? []).join(' ') : hex;
      const prefixed = spec.sharp && hex !== '' ? `0x${spaced}` : spaced;
      return pad(spec, spec.verb === 'X' ? prefixed.toUpperCase() : prefixed);
    }
    default:
      return complaint(spec, v);
  }
}

function isOneLine(text: string): boolean {
  for (let i = 0; i < text.length; ) {
    const { code, width } = runeAt(text, i);
    if (code !== 9 && !isPrint(code)) return false;
    i += width;
  }
  return true;
}

function firstRunes(text: string, count: number): string {
  let at = 0;
  for (let n = 0; n < count && at < text.length; n++) at += runeAt(text, at).width;
  return text.slice(0, at);
}

const bases: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const prefixes: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' };

function integerText(spec: Spec, n: bigint, v: GoValue): string {
  const { verb } = spec;
  if (verb === 'c') return pad(spec, runeBytes(Number(n)));
  if (verb === 'q') return pad(spec, `'${n === 39n ? "\\'" : escapedRune(Number(n))}'`);
  if (verb === 'U') return pad(spec, `U+${n.toString(16).toUpperCase().padStart(4, '0')}`);
  const base = bases[verb];
  if (base === undefined) return complaint(spec, v);
  const negative = n < 0n;
  let digits = (negative ? -n : n).toString(base);
  if (verb === 'X') digits = digits.toUpperCase();
  if (spec.precision === 0 && n === 0n) return pad({ ...spec, zero: false }, '');
  if (spec.precision !== undefined) digits = digits.padStart(spec.precision, '0');
  const isHexByte = spec.sharp && verb === 'v' && v instanceof Sized && v.type.startsWith('u');
  if (isHexByte) digits = n.toString(16);
  const plus = spec.plus && verb !== 'v';
  const prefix = verb === 'O' ? '0o' : isHexByte ? '0x' : spec.sharp ? (prefixes[verb] ?? '') : '';
  return signed(spec, negative ? '-' : plus ? '+' : spec.space ? ' ' : '', prefix, digits);
}

/** Zero padding goes between sign and digits, unless a precision is given. */
function signed(spec: Spec, sign: string, prefix: string, digits: string): string {
  if (!spec.zero || spec.precision !== undefined || spec.width === undefined)
    return pad({ ...spec, zero: false }, sign + prefix + digits);
  return sign + prefix + digits.padStart(spec.width - sign.length, '0');
}

function floatText(spec: Spec, n: number, v: GoValue): string {
  const verb = spec.verb === 'v' ? 'g' : spec.verb === 'F' ? 'f' : spec.verb;
  if (verb !== 'e' && verb !== 'E' && verb !== 'f' && verb !== 'g' && verb !== 'G') return complaint(spec, v);
  const precision = spec.precision ?? (verb === 'g' || verb === 'G' ? -1 : 6);
  const text = formatFloat(n, verb, precision);
  const negative = text.startsWith('-');
  const size = text.replace(/^[-+]/, '');
  const plus = spec.plus && spec.verb !== 'v';
  const sign = negative ? '-' : plus ? '+' : spec.space ? ' ' : '';
  if (!spec.zero || spec.width === undefined || !Number.isFinite(n))
    return pad({ ...spec, zero: false }, (text.startsWith('+') && sign === '' ? '+' : sign) + size);
  return sign + size.padStart(spec.width - sign.length, '0');
}

function pad(spec: Spec, text: string): string {
  const fill = (spec.width ?? 0) - runeCount(text);
  if (fill <= 0) return text;
  if (spec.minus) return text + ' '.repeat(fill);
  return (spec.zero ? '0' : ' ').repeat(fill) + text;
}
