/** Text of strangers as part of one line of a file or terminal: no line breaks, nothing that steers, not endless. */
export function plainLine(text: string): string {
  const flat = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?');
  return flat.length > 400 ? `${flat.slice(0, 400)}…` : flat;
}
