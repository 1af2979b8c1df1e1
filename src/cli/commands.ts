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
  vault: {
    summary: 'the secret store: speaks the Vault HTTP API',
    goFlags: true,
    load: () => import('./vault.ts'),
  },
};
