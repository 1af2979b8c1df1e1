import type { VaultClient } from '../client/vault-client.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../lib/clock.ts';
import type { MeshrootError } from '../lib/errors.ts';

/** How meshroot reaches the world while it plans and applies. */
export interface Reach {
  /** The Vault of the root, and of every cluster that names no other. */
  readonly vault: VaultClient;
  /** The Vault of a cluster, where some have one of their own. */
  vaultOf?(cluster: string): VaultClient;
  /** The API server of a cluster of mesh.yaml, by the cluster's name. */
  kube(cluster: string): Promise<KubeApi>;
  /** Lets go of the connections of a cluster that is done with for now; a later question opens them again. */
  release?(cluster: string): void;
  readonly clock: Clock;
}

/** What `plan` says of one resource; a pure function of (wanted, observed, now). */
export type Decision =
  | { readonly kind: 'keep'; readonly warning?: string }
  | { readonly kind: 'add'; readonly lines: readonly string[] }
  | { readonly kind: 'change'; readonly lines: readonly string[] }
  /** What an earlier mesh.yaml asked for and this one does not; a line for each thing. */
  | { readonly kind: 'remove'; readonly lines: readonly string[] }
  /** A person has to do something elsewhere first; what comes after does not need it. */
  | { readonly kind: 'wait'; readonly why: string; readonly next: string }
  /** It exists, is not meshroot's or cannot become what is wanted. */
  | { readonly kind: 'refuse'; readonly error: MeshrootError }
  /** The reader's permissions do not reach it. */
  | { readonly kind: 'unseen'; readonly why: string; readonly hint?: string | undefined };

/**
 * One thing that mesh.yaml wants to be there. `kinds/` has one file per kind, all of this shape.
 * @typeParam O what was observed of it
 */
export interface Resource<O = unknown> {
  /** `mesh`, or the name of the cluster that it belongs to. */
  readonly group: string;
  /** As a person would call it: `role istiod`. Unique within its group. */
  readonly label: string;
  /** What it will be, in one short line. */
  readonly summary: string;
  /** Reads only. */
  observe(reach: Reach): Promise<O>;
  decide(observed: O, context: DecideContext): Decision;
  /** Makes it so; called only after `add`, `change` or `remove`, and safe to call again after a crash at any point. */
  write(reach: Reach, observed: O): Promise<void>;
  /** With it, Vault will ask an API server: that it reaches it is proven before anything is written. */
  readonly reachesOut?: boolean;
  /** A person elsewhere may have to go on after a write: it is looked at once more to say so. */
  readonly waits?: boolean;
  /** How it is taken away again. Absent: it goes with the thing that it is in. */
  readonly undo?: Undo<O>;
}

export interface Undo<O = unknown> {
  exists(observed: O): boolean;
  /** By meshroot, as it recorded on the thing itself; what others made is never touched. */
  made(observed: O): boolean;
  /** @returns why it had to stay after all; undefined when it is gone */
  remove(reach: Reach, observed: O): Promise<string | undefined>;
}

/** The Vault of one cluster. */
export function clusterVault(reach: Pick<Reach, 'vault' | 'vaultOf'>, cluster: string): VaultClient {
  return reach.vaultOf?.(cluster) ?? reach.vault;
}

/** The same reach with another client around each of its Vaults, one around each. */
export function withVaults(reach: Reach, around: (vault: VaultClient) => VaultClient): Reach {
  const known = new Map<VaultClient, VaultClient>();
  const once = (vault: VaultClient): VaultClient => {
    const found = known.get(vault) ?? around(vault);
    known.set(vault, found);
    return found;
  };
  const { vaultOf } = reach;
  return {
    ...reach,
    vault: once(reach.vault),
    ...(vaultOf && { vaultOf: (cluster: string) => once(vaultOf(cluster)) }),
  };
}

export interface DecideContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Take over what others made under the same name. */
  readonly adopt: boolean;
}

/** Decisions that `apply` writes for. */
export type Writing = Extract<Decision, { readonly lines: readonly string[] }>;

export const isWriting = (decision: Decision): decision is Writing => 'lines' in decision;

export const keep: Decision = { kind: 'keep' };

/** `add` when there is nothing, `keep` when nothing differs, `change` with the differing lines otherwise. */
export function decideByLines(
  exists: boolean,
  differences: readonly string[],
  whenAdded: readonly string[] = [],
): Decision {
  if (!exists) return { kind: 'add', lines: whenAdded };
  return differences.length === 0 ? keep : { kind: 'change', lines: differences };
}
