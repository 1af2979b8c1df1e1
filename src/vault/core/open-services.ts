import type { Clock } from '../../lib/clock.ts';
import { MeshrootError, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { PolicyStore } from '../policy/policy-store.ts';
import { AuditBroker } from './audit-broker.ts';
import { AuditedHeaders } from './audited-headers.ts';
import type { Barrier, KeyringTerm } from './barrier.ts';
import { clusterIdPath } from './cluster-id.ts';
import { Cors } from './cors.ts';
import { RootGeneration } from './generate-root.ts';
import type { Lease } from './lease.ts';
import { LeaseTable, readTime } from './leases.ts';
import { Migrations } from './migrations.ts';
import { viewPrefix } from './mount-entry.ts';
import { addMissingMounts, loadMounts } from './mounts.ts';
import type { Physical, PhysicalChange } from './physical.ts';
import { RateQuotas } from './rate-quotas.ts';
import { refuseWrapped } from './refusal.ts';
import { Rekey } from './rekey.ts';
import { Router } from './router.ts';
import { keyringChange } from './seal.ts';
import { serverVersion } from './server-version.ts';
import type { Services } from './services.ts';
import { Snapshots } from './snapshots.ts';
import { SteadyClock } from './steady-clock.ts';
import { Storage, type StorageView, type Transaction } from './storage.ts';
import { TokenStore } from './tokens.ts';
import { UserLockout } from './user-lockout.ts';
import type { FullOptions } from './vault-core-options.ts';
import { noteVersion } from './version-history.ts';

export interface OpenStore {
  readonly services: Services;
  /** Not to be kept: `close` wipes it. */
  readonly rootKey: Buffer;
  /** Forgets the keys and closes the audit devices. */
  close(): void;
}

/** Builds everything that lives while the store is open, from what is in it. */
export async function openServices(
  options: FullOptions,
  barrier: Barrier,
  rootKey: Buffer,
  seal: () => void,
): Promise<OpenStore> {
  const { physical, random, clock, log, metrics, catalogue, auditDevices, auditFolders } = options;
  const storage = new Storage(physical, barrier, (error) => {
    noteFailure(error, log);
    seal();
  });
  const transaction = storage.begin(false);
  const router = new Router(options.systemTtls);
  const leases = leaseTable(options, storage, transaction, router);
  addMissingMounts(transaction, random);
  loadMounts(transaction, router, catalogue, log);
  noteVersion(transaction, serverVersion, clock.now());
  const audit = new AuditBroker({
    allowedFolders: auditFolders,
    log,
    onFailure: metrics.auditFailure,
    openSocket: options.openAuditSocket,
  });
  audit.start(transaction, auditDevices, random);
  await transaction.commit();
  const tokens = new TokenStore(TokenStore.readSalt(transaction) ?? missing('token salt'), random, leases);
  const clusterId = transaction.get<string>(clusterIdPath) ?? '';
  const services: Services = {
    storage,
    router,
    leases,
    tokens,
    policies: new PolicyStore(),
    audit,
    catalogue,
    metrics,
    lockout: lockoutBy(router),
    ...loadSettings(transaction),
    migrations: new Migrations(),
    clusterId,
    apiAddress: options.apiAddress,
    snapshots: new Snapshots(physical, barrier, clusterId),
    rekey: new Rekey({ physical, rootKey, random }),
    rootGeneration: new RootGeneration({ physical, storage, tokens, random, clock }),
    seal,
    rotate: () => rotate(physical, barrier, rootKey, options),
    keyStatus: () => stateOf(barrier),
  };
  return {
    services,
    rootKey,
    close: () => {
      audit.stop();
      services.snapshots.take()?.discard();
      services.rekey.cancel();
      services.rootGeneration.cancel();
      barrier.wipe();
      rootKey.fill(0);
    },
  };
}

function leaseTable(
  { clock, log }: FullOptions,
  storage: Storage,
  store: StorageView,
  router: Router,
): LeaseTable {
  const steady = new SteadyClock(
    () => clock.now(),
    readTime(store),
    (ms) => noteJump(ms, log),
  );
  return new LeaseTable({
    storage,
    now: () => steady.now(),
    revokeSecret: (staged, lease) => revokeSecret(router, clock, staged, lease),
  });
}

function noteFailure(error: unknown, log: Logger): void {
  const hint = error instanceof MeshrootError && error.hint !== undefined ? { hint: error.hint } : {};
  log.error('the storage failed: sealing', { error: messageOf(error), ...hint });
}

function stateOf({ active, encryptions }: Barrier): ReturnType<Services['keyStatus']> {
  return { term: active.term, installed: active.installed, encryptions };
}

function lockoutBy(router: Router): UserLockout {
  return new UserLockout(
    (accessor) => router.all('auth').find(({ entry }) => entry.accessor === accessor)?.entry.config.lockout,
  );
}

function loadSettings(store: StorageView): Pick<Services, 'quotas' | 'cors' | 'auditedHeaders'> {
  const [quotas, cors, auditedHeaders] = [new RateQuotas(), new Cors(), new AuditedHeaders()];
  quotas.load(store);
  cors.load(store);
  auditedHeaders.load(store);
  return { quotas, cors, auditedHeaders };
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
  options: FullOptions,
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
