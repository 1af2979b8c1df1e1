import { InvalidArgumentError } from 'commander';

/** Checks the value of a flag that counts; 1 to 999. */
export function wholeNumber(text: string): string {
  if (/^[1-9]\d{0,2}$/.test(text)) return text;
  throw new InvalidArgumentError('must be a whole number from 1 to 999');
}
