const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648, section 6, with padding. */
export function base32Encode(data: Buffer): string {
  let bits = '';
  for (const byte of data) bits += byte.toString(2).padStart(8, '0');
  const groups = bits.match(/.{1,5}/g) ?? [];
  const text = groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

/** @returns the bytes as a binary string, or the text of the error */
export function base32Decode(text: string): string {
  const body = text.replace(/[\r\n]/g, '');
  const data = body.replace(/=+$/, '');
  const bad = [...data].findIndex((c) => !alphabet.includes(c));
  if (bad !== -1) return `illegal base32 data at input byte ${bad}`;
  if (body.length % 8 !== 0 || [1, 3, 6].includes(data.length % 8))
    return `illegal base32 data at input byte ${data.length}`;
  const bits = [...data].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const bytes = bits.match(/.{8}/g) ?? [];
  return bytes.map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join('');
}
