import { type Cursor, here, newLine } from './cursor.ts';
import { HclError } from './tree.ts';

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  '/': '/',
};
const numericEscape = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})/y;

/** A quoted string; the cursor stands on its opening quote and is left behind the closing one. */
export function lexString(cursor: Cursor): string {
  const start = here(cursor);
  const { text } = cursor;
  let value = '';
  let braces = 0; // inside ${ … } quotes and line breaks belong to the interpolation, as in HCL 1
  cursor.position++;
  for (;;) {
    const char = text.charAt(cursor.position);
    if (char === '' || (char === '\n' && braces === 0)) throw new HclError('the string is not closed', start);
    if (char === '\0') throw new HclError('the string has a NUL', here(cursor));
    if (char === '"' && braces === 0) break;
    if (char === '\\' && braces === 0) {
      value += unescaped(cursor);
      continue;
    }
    if (!cursor.json && text.startsWith('${', cursor.position)) braces++;
    else if (char === '}' && braces > 0) braces--;
    value += char;
    if (char === '\n') newLine(cursor);
    else cursor.position++;
    if (char === '$' && text.charAt(cursor.position) === '{') {
      value += '{';
      cursor.position++;
    }
  }
  cursor.position++;
  return value;
}

function unescaped(cursor: Cursor): string {
  const letter = cursor.text.charAt(cursor.position + 1);
  const simple = simpleEscapes[letter];
  if (simple !== undefined) {
    cursor.position += 2;
    return simple;
  }
  numericEscape.lastIndex = cursor.position + 1;
  const match = numericEscape.exec(cursor.text);
  const code = match === null ? Number.NaN : numericValue(match);
  if (match === null || !(code <= 0x10ffff)) {
    throw new HclError(`unknown escape ${JSON.stringify(`\\${letter}`)}`, here(cursor));
  }
  cursor.position += 1 + match[0].length;
  return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
}

function numericValue([, hex2, hex4, hex8, octal]: RegExpExecArray): number {
  return octal === undefined ? Number.parseInt(hex2 ?? hex4 ?? hex8 ?? '', 16) : Number.parseInt(octal, 8);
}
