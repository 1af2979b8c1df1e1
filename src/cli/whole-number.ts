import { InvalidArgumentError } from 'commander';

/** Reads the value of a flag that counts; both ends belong to it. */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`must be a whole number from ${from} to ${to}`);
  };
}
