/** The rune that starts at byte `pos` of a binary string and its width in bytes; broken UTF-8 is U+FFFD, width 1. */
export function runeAt(bytes: string, pos: number): { readonly code: number; readonly width: number } {
  const b0 = bytes.charCodeAt(pos);
  if (b0 < 0x80) return { code: b0, width: 1 };
  const width = b0 >= 0xf0 && b0 < 0xf5 ? 4 : b0 >= 0xe0 && b0 < 0xf0 ? 3 : b0 >= 0xc2 && b0 < 0xe0 ? 2 : 1;
  if (width === 1 || pos + width > bytes.length) return { code: 0xfffd, width: 1 };
  let code = b0 & (0xff >> (width + 1));
  for (let i = 1; i < width; i++) {
    const b = bytes.charCodeAt(pos + i);
    if ((b & 0xc0) !== 0x80) return { code: 0xfffd, width: 1 };
    code = (code << 6) | (b & 0x3f);
  }
  const least = width === 2 ? 0x80 : width === 3 ? 0x800 : 0x10000;
  const valid = code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? { code, width } : { code: 0xfffd, width: 1 };
}

/** UTF-8 bytes of a code point as a binary string. */
export function runeBytes(code: number): string {
  if (code < 0x80) return String.fromCharCode(code);
  const valid = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return Buffer.from(String.fromCodePoint(valid ? code : 0xfffd), 'utf8').toString('latin1');
}

/** Number of runes in a binary string. */
export function runeCount(bytes: string): number {
  let n = 0;
  for (let i = 0; i < bytes.length; i += runeAt(bytes, i).width) n++;
  return n;
}

/** Go's `%#U`: `U+00E9 'é'`, without the glyph for what cannot be printed. */
export function runeName(code: number): string {
  const hex = code.toString(16).toUpperCase().padStart(4, '0');
  return isPrint(code) ? `U+${hex} '${runeBytes(code)}'` : `U+${hex}`;
}

export function isPrint(code: number): boolean {
  if (code < 0x80) return code >= 0x20 && code < 0x7f;
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(String.fromCodePoint(code));
}

export function isAlphaNumeric(code: number): boolean {
  if (code < 0x80)
    return (
      (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
    );
  return /^[\p{L}\p{Nd}]$/u.test(String.fromCodePoint(code));
}
