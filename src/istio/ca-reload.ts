import type { TrustSet } from './ca-signer.ts';

/** One line for the log, in istiod's words: people and their alerts look for them. */
export interface ReloadLine {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

export type ReloadDecision =
  | { readonly accept: true; readonly rootsChanged: boolean; readonly lines: readonly ReloadLine[] }
  | {
      readonly accept: false;
      readonly code: 'multi-root-disabled' | 'roots-not-nested';
      readonly lines: readonly ReloadLine[];
    };

/**
 * May `next` take over from `current`? The roots may only change with `multiRoot`, and then only grow or shrink
 * (one set holds the other), as istiod since 1.30: trust is added before it is used and removed after its last use.
 * Sets are compared by certificate, so spaces and order do not matter.
 */
export function decideReload(current: TrustSet, next: TrustSet, multiRoot: boolean): ReloadDecision {
  const before = new Set(current.roots.map((root) => root.fingerprint));
  const after = new Set(next.roots.map((root) => root.fingerprint));
  const grows = [...before].every((root) => after.has(root));
  const shrinks = [...after].every((root) => before.has(root));
  if (grows && shrinks) return { accept: true, rootsChanged: current.rootPem !== next.rootPem, lines: [] };
  const refused = { level: 'warn', text: 'Updating new ROOT-CA not supported' } as const;
  if (!multiRoot) {
    const why = {
      level: 'warn',
      text: 'Multi root is disabled, updating new ROOT-CA not supported',
    } as const;
    return { accept: false, code: 'multi-root-disabled', lines: [why, refused] };
  }
  if (!grows && !shrinks) return { accept: false, code: 'roots-not-nested', lines: [refused] };
  return { accept: true, rootsChanged: true, lines: [{ level: 'info', text: 'Updating new ROOT-CA' }] };
}

/** Why a refused reload was refused, for people and metrics. */
export const reloadReasons = {
  'multi-root-disabled':
    'root-cert.pem differs from the loaded one and ISTIO_MULTIROOT_MESH is not true: the loaded set stays in use',
  'roots-not-nested':
    'the new root-cert.pem neither contains the loaded one nor is contained in it: publish both roots first',
} as const;
