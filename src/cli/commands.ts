import type { Command } from 'commander';
import type { Io } from './io.ts';

export interface CommandEntry {
  readonly summary: string;
  /** Go-style single-dash long flags (`-config=x`) are accepted: the command stands in for a Go program. */
  readonly goFlags?: boolean;
  /** Loads only this command's own rooms. */
  readonly load: () => Promise<{ command: (io: Io) => Command }>;
  /**
   * For what must start fast: takes the arguments without commander; false when they are not all plain flags that it
   * knows, then `load` has them.
   */
  readonly fast?: () => Promise<{ run: (argv: readonly string[], io: Io) => Promise<boolean> }>;
}

/** Every command of `meshroot`, in the order of `--help`. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  scan: {
    summary: 'read-only check of certificates, keys and bundles; --at +400d looks into the future',
    load: () => import('./scan.ts'),
  },
  pki: {
    summary: 'root and intermediates as files, in the layout of Istio’s tools/certs',
    load: () => import('./pki.ts'),
  },
  ca: {
    summary: 'an Istio CA on plugged-in files: stands in for istiod',
    goFlags: true,
    load: () => import('./ca.ts'),
  },
  workload: {
    summary: 'a demo workload: gets its certificate like pilot-agent and shakes hands',
    load: () => import('./workload.ts'),
  },
  agent: {
    summary: 'log in by workload identity and render secrets to files, as vault agent does',
    goFlags: true,
    load: () => import('./agent.ts'),
    fast: () => import('./agent-fast.ts'),
  },
};
