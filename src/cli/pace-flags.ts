import type { Command } from 'commander';
import { defaultConcurrency } from '../mesh/plan.ts';
import { wholeNumber } from './whole-number.ts';

export interface PaceFlags {
  readonly concurrency: number;
  readonly vaultRate?: number;
}

/** What a command over many clusters may ask of the world at one time. */
export const withPace = (command: Command): Command =>
  command
    .option('--concurrency <n>', 'clusters at one time', wholeNumber(1, 999), defaultConcurrency)
    .option('--vault-rate <n>', 'most requests a second to each Vault', wholeNumber(1, 100_000));
