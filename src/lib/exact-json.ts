/**
 * JSON whose numbers keep their digits. JavaScript reads 12345678901234567890 as another number and 1.10 as 1.1; whoever only
 * passes a document on must do neither. Such a number stands in the data as a marked text, and is written as the digits
 * again. The mark begins with half of a surrogate pair, which no text that was read here can hold.
 */
const mark = '\ud800#';
/** What JSON.stringify makes of it. */
const written = String.raw`"\ud800#`;
const writtenNumber = /"\\ud800#(-?\d[-+.\deE]*)"/g;

/** The texts of documents with such numbers, marked. */
const marked = new WeakMap<object, string>();

export interface JsonShape {
  /** Of objects and lists within each other. */
  readonly depth: number;
  /** Where numbers stand that JavaScript would write otherwise: first byte, byte behind. */
  readonly inexact: readonly (readonly [number, number])[];
  readonly hasInfinity: boolean;
}

/** One walk over the bytes, without parsing. Makes sense of nothing that is no JSON, and fails on nothing. */
export function jsonShape(body: Buffer): JsonShape {
  let depth = 0;
  let deepest = 0;
  let hasInfinity = false;
  const inexact: [number, number][] = [];
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] ?? 0;
    if (byte === 0x22) i = endOfText(body, i);
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x2d || isDigit(byte)) {
      const end = endOfNumber(body, i);
      const text = body.toString('latin1', i, end);
      if (String(Number(text)) !== text) inexact.push([i, end]);
      if (!Number.isFinite(Number(text))) hasInfinity = true;
      i = end - 1;
    }
  }
  return { depth: deepest, inexact, hasInfinity };
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** @returns the closing quotation mark */
function endOfText(body: Buffer, from: number): number {
  let i = from + 1;
  while (i < body.length && body[i] !== 0x22) i += body[i] === 0x5c ? 2 : 1;
  return i;
}

/** The byte behind digits, signs, point and exponent. */
function endOfNumber(body: Buffer, from: number): number {
  let end = from + 1;
  while (isDigit(body[end] ?? 0) || inNumbers.has(body[end] ?? 0)) end++;
  return end;
}

const inNumbers: ReadonlySet<number> = new Set(Buffer.from('+-.eE'));

/** An escape that is half of a pair, or a whole pair, or any other. */
const escapes = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)/gs;

/** @throws SyntaxError */
export function parseJson(body: Buffer, { inexact }: JsonShape): unknown {
  const value: unknown = JSON.parse(wellFormed(body.toString('utf8')));
  if (inexact.length > 0 && typeof value === 'object' && value !== null) {
    marked.set(value, wellFormed(withMarks(body, inexact)).replaceAll(markPlace, String.raw`\ud800#`));
  }
  return value;
}

/** Cannot stand in JSON outside of a text, nor inside one unescaped. */
const markPlace = '\u0001';

function withMarks(body: Buffer, inexact: JsonShape['inexact']): string {
  const parts: string[] = [];
  let from = 0;
  for (const [start, end] of inexact) {
    parts.push(body.toString('utf8', from, start), `"${markPlace}`, body.toString('latin1', start, end), '"');
    from = end;
  }
  parts.push(body.toString('utf8', from));
  return parts.join('');
}

/** Half pairs become U+FFFD, as Go reads them. */
const wellFormed = (text: string): string =>
  /\\u[dD]/.test(text)
    ? text.replace(escapes, (one) => (/^\\u[dD].{3}$/s.test(one) ? String.raw`\ufffd` : one))
    : text;

/** A document that `parseJson` has read, with its numbers as they were sent; any other as it is. */
export function exact<T extends object>(document: T): T {
  const text = marked.get(document);
  return text === undefined ? document : (JSON.parse(text) as T);
}

/** Whether a text of an exact document is a number. */
export const isExactNumber = (value: unknown): boolean =>
  typeof value === 'string' && value.startsWith(mark) && /^-?\d[-+.\deE]*$/.test(value.slice(mark.length));

/** JSON.stringify, with exact numbers as their digits. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes(written) ? text.replace(writtenNumber, '$1') : text;
}
