import type { Operation, Result } from './request.ts';

/** Whether names are asked for: of one folder, or of all below it (OpenBao's SCAN). */
export const isListing = (operation: Operation): boolean => operation === 'list' || operation === 'scan';

/** Whether the store stays as it is. */
export const isReading = (operation: Operation): boolean => operation === 'read' || isListing(operation);

/** What a scan found; where that is nothing upstream says so by 200, other than for a list. */
export const scanned = (keys: readonly string[]): Result => ({
  data: keys.length === 0 ? {} : { keys: [...keys].sort() },
});
