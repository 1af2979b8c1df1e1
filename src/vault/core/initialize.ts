import { PolicyStore } from '../policy/policy-store.ts';
import { clusterIdPath } from './cluster-id.ts';
import { LeaseTable } from './leases.ts';
import { builtinMounts, putMount } from './mounts.ts';
import { refuse } from './refusal.ts';
import { rootTokenOrder } from './root-token.ts';
import { createSeal, type SealConfig } from './seal.ts';
import { Storage } from './storage.ts';
import { TokenStore } from './tokens.ts';
import { uuidOf } from './uuid.ts';
import type { VaultCoreOptions } from './vault-core-options.ts';

export interface InitResult {
  readonly shares: readonly Buffer[];
  readonly rootToken: string;
}

/** Seal, mounts, default policy and root token in one commit: a store is whole or not there. */
export async function initialize(
  { physical, random, clock }: Required<Pick<VaultCoreOptions, 'physical' | 'random' | 'clock'>>,
  config: SealConfig,
  rootToken?: string,
): Promise<InitResult> {
  const now = clock.now();
  const seal = await createSeal(config, now, random);
  const storage = new Storage(physical, seal.barrier, () => {});
  const transaction = storage.begin(true);
  for (const mount of builtinMounts(random)) putMount(transaction, mount);
  PolicyStore.seed(transaction);
  transaction.put(clusterIdPath, uuidOf(random(16)));
  const salt = random(32);
  TokenStore.putSalt(transaction, salt);
  const leases = new LeaseTable({ storage, now: () => now, revokeSecret: () => {} });
  const { token } = new TokenStore(salt, random, leases).create(
    transaction,
    { ...rootTokenOrder, ...(rootToken === undefined ? {} : { id: rootToken }) },
    now,
  );
  const committed = transaction.commit(seal.changes);
  if (committed === undefined) throw refuse('Vault is already initialized', 400, 'already-initialized');
  await committed;
  seal.barrier.wipe();
  return { shares: seal.shares, rootToken: token };
}
