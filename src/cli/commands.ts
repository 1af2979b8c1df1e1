import type { Command } from 'commander';
import type { Io } from './io.ts';

export interface CommandEntry {
  readonly summary: string;
  /** Go-style single-dash long flags (`-config=x`) are accepted: the command stands in for a Go program. */
  readonly goFlags?: boolean;
  /** Loads only this command's own rooms. */
  readonly load: () => Promise<{ command: (io: Io) => Command }>;
}

/** Every command of `meshroot`, in the order of `--help`. */
export const commands: Readonly<Record<string, CommandEntry>> = {};
