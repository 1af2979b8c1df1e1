import type { Clock } from '../../lib/clock.ts';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { PolicyStore } from '../policy/policy-store.ts';
import { AuditBroker } from './audit-broker.ts';
import type { Barrier, KeyringTerm } from './barrier.ts';
import { type Lease, LeaseTable, readTime } from './leases.ts';
import { viewPrefix } from './mount-entry.ts';
import { addMissingMounts, loadMounts } from './mounts.ts';
import type { Physical, PhysicalChange } from './physical.ts';
import { refuseWrapped } from './refusal.ts';
import { Router } from './router.ts';
import { keyringChange } from './seal.ts';
import type { Services } from './services.ts';
import { SteadyClock } from './steady-clock.ts';
import { Storage, type Transaction } from './storage.ts';
import { TokenStore } from './tokens.ts';
import { UserLockout } from './user-lockout.ts';
import type { VaultCoreOptions } from './vault-core.ts';

export interface OpenStore {
  readonly services: Services;
  /** Forgets the keys and closes the audit devices. */
  close(): void;
}

export const clusterIdPath = 'core/cluster-id';

type Options = Required<Omit<VaultCoreOptions, 'physical' | 'catalogue'>> & VaultCoreOptions;

/** Builds everything that lives while the store is open, from what is in it. */
export async function openServices(
  options: Options,
  barrier: Barrier,
  rootKey: Buffer,
  seal: () => void,
): Promise<OpenStore> {
  const { physical, clock, random, log, metrics, catalogue, auditDevices, auditFolders } = options;
  const storage = new Storage(physical, barrier, (error) => {
    const hint = error instanceof MeshrootError ? error.hint : undefined;
    log.error('the storage failed: sealing', {
      error: messageOf(error),
      ...(hint === undefined ? {} : { hint }),
    });
    seal();
  });
  const transaction = storage.begin(false);
  const router = new Router();
  const steady = new SteadyClock(
    () => clock.now(),
    readTime(transaction),
    (ms) => noteJump(ms, log),
  );
  const leases = new LeaseTable({
    storage,
    now: () => steady.now(),
    revokeSecret: (staged, lease) => revokeSecret(router, clock, staged, lease),
  });
  addMissingMounts(transaction, random);
  loadMounts(transaction, router, catalogue, log);
  const audit = new AuditBroker({ allowedFolders: auditFolders, log, onFailure: metrics.auditFailure });
  audit.start(transaction, auditDevices, random);
  await transaction.commit();
  const services: Services = {
    storage,
    router,
    leases,
    tokens: new TokenStore(TokenStore.readSalt(transaction) ?? missing('token salt'), random, leases),
    policies: new PolicyStore(),
    audit,
    catalogue,
    metrics,
    lockout: new UserLockout(),
    clusterId: transaction.get<string>(clusterIdPath) ?? '',
    seal,
    rotate: () => rotate(physical, barrier, rootKey, options),
    keyStatus: () => barrier.active,
  };
  return {
    services,
    close: () => {
      audit.stop();
      barrier.wipe();
      rootKey.fill(0);
    },
  };
}

/** A secret of a mount that is gone, or of an engine that need not know, ends with its lease. */
function revokeSecret(router: Router, clock: Clock, staged: Transaction, lease: Lease): void {
  const mounted = router.find(lease.path);
  mounted?.backend.revokeLease?.({ store: staged.at(viewPrefix(mounted.entry)), clock }, lease);
}

/** Small corrections are everyday work of NTP. */
function noteJump(ms: number, log: Logger): void {
  if (ms < 1000) return;
  const text = 'the clock of this machine went back: tokens and leases end as if it had gone on';
  log.warn(text, { seconds: Math.round(ms / 1000) });
}

/** The keyring is on disk before anything is written with its new key. */
async function rotate(
  physical: Physical,
  barrier: Barrier,
  rootKey: Buffer,
  options: Options,
): Promise<void> {
  const term: KeyringTerm = {
    term: barrier.active.term + 1,
    key: options.random(32),
    installed: options.clock.now(),
  };
  const change: PhysicalChange = keyringChange(rootKey, [...barrier.terms, term], options.random);
  await physical.commit([change]);
  barrier.add(term);
}

function missing(what: string): never {
  throw refuseWrapped(`the store has no ${what}`, 500, 'store-corrupt');
}
