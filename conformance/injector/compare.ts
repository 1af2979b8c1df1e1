import { isDeepStrictEqual } from 'node:util';
import { prefixOnly } from './on-purpose.ts';
import type { Outcome } from './outcome.ts';

/** Ours may say more behind upstream's words (a hint in brackets), never less and never others. */
export function sameOutcome(theirs: Outcome, ours: Outcome): boolean {
  if (theirs.allowed || ours.allowed) return isDeepStrictEqual(theirs, ours);
  const prefix = prefixOnly.find((start) => theirs.message.startsWith(start));
  if (prefix !== undefined) return ours.message.startsWith(prefix);
  return ours.message === theirs.message || ours.message.startsWith(`${theirs.message} (`);
}

export function fileNameOf(caseName: string): string {
  return `${caseName.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.golden.json`;
}
