import { parseDuration } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import { type HclEntry, HclError, plainValue } from '../lib/hcl/tree.ts';
import { nearestWord } from '../lib/nearest-word.ts';

/** Says which word was probably meant. */
export function unknownKey(entry: HclEntry, words: readonly string[]): HclError {
  const near = nearestWord(entry.key, words);
  return new HclError(
    `unknown key "${entry.key}"${near === undefined ? '' : `, did you mean "${near}"?`}`,
    entry,
  );
}

/** @throws HclError when it is none of `words` */
export function oneOf<T extends string>(entry: HclEntry, words: readonly T[]): T {
  const found = words.find((word) => word === String(plainValue(entry.value)).toLowerCase());
  if (found === undefined) throw new HclError(`${entry.key} must be one of ${words.join(', ')}`, entry);
  return found;
}

export function texts(entry: HclEntry): string[] {
  const value = plainValue(entry.value);
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** @throws HclError when it is something else, also an empty text */
export function textOf(entry: HclEntry): string {
  const value = text(plainValue(entry.value));
  if (value === '') throw new HclError(`${entry.key} must be a text`, entry);
  return value;
}

/** @throws HclError for what is neither: a switch with a slip of the pen must not be off in silence */
export function switchOf(entry: HclEntry): boolean {
  const value = plainValue(entry.value);
  if (!isTrue(value) && !isFalse(value)) throw new HclError(`${entry.key} must be true or false`, entry);
  return isTrue(value);
}

const isTrue = (value: unknown): boolean =>
  value === true || value === 1 || value === '1' || value === 'true';
const isFalse = (value: unknown): boolean =>
  value === false || value === 0 || value === '0' || value === 'false';

/** A duration as Vault reads them: `1h`, or seconds as a number or text. Milliseconds. @throws HclError */
export function duration(entry: HclEntry): number {
  const value = plainValue(entry.value);
  const bare =
    typeof value === 'number' ? value : /^\d+$/.test(text(value)) ? Number(text(value)) : undefined;
  if (bare !== undefined) return bare * 1000;
  try {
    return parseDuration(text(value));
  } catch (error) {
    throw new HclError(`${entry.key}: ${messageOf(error)}`, entry);
  }
}
