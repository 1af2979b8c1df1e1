import { refuse } from './refusal.ts';

const minBytes = 16;
const maxBytes = 33;

/** A key share as people paste it: hex if it is hex of a fitting length, else base64. @throws Refusal 400 */
export function shareOf(text: string): Buffer {
  const share = bytesOf(text);
  if (share.length < minBytes) throw refuse(`invalid key: key is shorter than minimum ${minBytes} bytes`);
  if (share.length > maxBytes) throw refuse(`invalid key: key is longer than maximum ${maxBytes} bytes`);
  return share;
}

/** @throws Refusal 400 for what is neither hex nor base64 */
export function bytesOf(text: string): Buffer {
  const trimmed = text.trim();
  const isHex = /^([0-9a-fA-F]{2})+$/.test(trimmed);
  if (!isHex && !/^[A-Za-z0-9+/]+={0,2}$/.test(trimmed))
    throw refuse("'key' must be a valid hex or base64 string");
  return Buffer.from(trimmed, isHex ? 'hex' : 'base64');
}
