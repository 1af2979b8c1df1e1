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
  up: { summary: 'the whole system on this machine, checked', load: () => import('./up.ts') },
  init: { summary: 'write a commented mesh.yaml', load: () => import('./init.ts') },
  plan: { summary: 'show what apply would change', load: () => import('./plan.ts') },
  apply: { summary: 'make Vault and the clusters as mesh.yaml wants them', load: () => import('./apply.ts') },
  destroy: { summary: 'take away what meshroot made, and nothing else', load: () => import('./destroy.ts') },
  status: { summary: 'show the trust tree of a living mesh', load: () => import('./status.ts') },
  doctor: {
    summary: 'name the one broken link between a cluster, Vault and a workload certificate',
    load: () => import('./doctor.ts'),
  },
  policy: {
    summary: 'print the Vault policy of a reader, writer, auditor or operator',
    load: () => import('./policy.ts'),
  },
  scan: {
    summary: 'read-only check of certificates, keys and bundles; --at +400d looks into the future',
    load: () => import('./scan.ts'),
  },
  rotate: {
    summary: 'replace an intermediate CA while everything keeps running',
    load: () => import('./rotate.ts'),
  },
  serve: {
    summary: 'keep the mesh as mesh.yaml wants it, and renew what is due',
    load: () => import('./serve.ts'),
  },
  observe: {
    summary: 'follow a Vault audit log: who was refused where, and why',
    load: () => import('./observe.ts'),
  },
  pki: {
    summary: "root and intermediates as files, in the layout of Istio's tools/certs",
    load: () => import('./pki.ts'),
  },
  vault: {
    summary: 'the store: a single-node Vault (stands in for vault and bao)',
    goFlags: true,
    load: () => import('./vault.ts'),
  },
  agent: {
    summary: 'logs in and renders secrets into files (stands in for vault agent)',
    goFlags: true,
    load: () => import('./agent.ts'),
    fast: () => import('./agent-fast.ts'),
  },
  token: {
    summary: "takes an agent's token back: `vault token revoke -self` in a preStop hook",
    goFlags: true,
    load: () => import('./token.ts'),
  },
  injector: {
    summary: 'injects agents into annotated pods (stands in for vault-k8s)',
    goFlags: true,
    load: () => import('./injector.ts'),
  },
  ca: {
    summary: 'an Istio CA on plugged-in files (stands in for istiod)',
    goFlags: true,
    load: () => import('./ca.ts'),
  },
  workload: {
    summary: 'a demo workload: gets its certificate like pilot-agent and shakes hands',
    load: () => import('./workload.ts'),
  },
};
